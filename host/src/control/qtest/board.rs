//! What lies below the devices of a machine without processors.

use std::ops::Range;

use super::interrupts::Interrupts;
use super::memory::Memory;
use crate::component::{GuestRam, Mode};
use crate::machine;
use crate::machine::file::CpuPin;

/// Guest memory, and the inputs of an I/O APIC that only clients listen to.
pub(super) struct Board {
    pub(super) memory: Memory,
    pub(super) interrupts: Interrupts,
}

impl machine::Board for Board {
    fn set_gsi(&self, gsi: u32, level: bool) {
        self.interrupts.set(gsi as usize, level);
    }

    fn set_cpu_pin(&self, pin: CpuPin, level: bool) {
        tracing::debug!(?pin, level, "there is no processor");
    }

    fn set_windows(&self, changes: &[(usize, Mode)]) {
        self.memory.set_windows(changes);
    }

    fn ram(&self) -> GuestRam {
        GuestRam::new(self.memory.ram().clone())
    }

    fn set_claims(&self, claims: &[Range<u64>]) {
        self.memory.set_claims(claims);
    }
}
