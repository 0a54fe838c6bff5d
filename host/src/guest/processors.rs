//! What carries a machine out.

use std::sync::Arc;

use super::Error;
use crate::machine::Machine;
use crate::migrate::{Blocks, ProcessorForm};
use crate::vm::{CpuState, VmState};

/// A machine and what carries it out: the processors of a KVM guest, or clients
/// that take their place. Calls come one at a time, and never from a processor.
pub trait Processors: Send + Sync {
    /// The machine.
    fn machine(&self) -> &Arc<Machine>;

    /// The machine's memory.
    fn blocks(&self) -> &Arc<Blocks>;

    /// The size of the firmware they start with, in bytes; 0 if there is none.
    fn firmware_len(&self) -> u64;

    /// The host's threads that run them, by their ids in the kernel: one for each,
    /// or none.
    fn threads(&self) -> Vec<u32>;

    /// Lets clock and processors run.
    fn start(&self);

    /// Stops processors and clock; returns when they stand still.
    fn stop(&self);

    /// Stops the processors while the clock runs on, as in S3.
    fn suspend(&self);

    /// Does something to the machine while nothing reaches its devices. The
    /// processors stand still already.
    fn still(&self, action: &mut dyn FnMut(&Machine));

    /// What the registers of a processor hold, which stands still; none if there is
    /// no such processor.
    ///
    /// # Errors
    /// KVM refuses.
    fn state_of(&self, cpu: usize) -> Result<Option<CpuState>, Error>;

    /// Puts the processors to where they start; they stand still.
    ///
    /// # Errors
    /// The boot image does not load any more, or KVM refuses.
    fn reset(&self) -> Result<(), Error>;

    /// Ends them for good.
    fn end(&self);

    /// How often they have left the guest for an access to a device.
    fn exits(&self) -> u64;

    /// What they are in a saved state; none if there are none.
    fn form(&self) -> Option<ProcessorForm> {
        None
    }

    /// What they hold, and what the kernel's chips do; none if there are none. They stand
    /// still.
    ///
    /// # Errors
    /// KVM refuses.
    fn save(&self) -> Result<Option<VmState>, Error> {
        Ok(None)
    }

    /// Makes them hold this; they stand still.
    ///
    /// # Errors
    /// KVM refuses: they must not run before a reset, then.
    fn load(&self, state: &VmState) -> Result<(), Error> {
        let _ = state;
        Ok(())
    }
}
