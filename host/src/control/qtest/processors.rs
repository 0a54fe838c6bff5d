//! A machine whose clients take the place of processors.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::Qtest;
use crate::guest::{Error, Processors};
use crate::machine::Machine;
use crate::migrate::Blocks;
use crate::vm::CpuState;

/// Clients reach the devices and move the clock whatever the machine's state is, as in
/// QEMU. What can be stopped are the timers.
impl Processors for Arc<Qtest> {
    fn machine(&self) -> &Arc<Machine> {
        Qtest::machine(self)
    }

    fn blocks(&self) -> &Arc<Blocks> {
        Qtest::blocks(self)
    }

    fn firmware_len(&self) -> u64 {
        self.board.memory.roms().firmware_len()
    }

    fn threads(&self) -> Vec<u32> {
        Vec::new()
    }

    /// Fires the timers that have become due.
    fn start(&self) {
        let mut effects = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.stopped.store(false, Ordering::Relaxed);
        self.machine.advance(0, &mut effects);
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn suspend(&self) {
        self.stop();
    }

    fn still(&self, action: &mut dyn FnMut(&Machine)) {
        self.between_requests(action);
    }

    fn state_of(&self, _cpu: usize) -> Result<Option<CpuState>, Error> {
        Ok(None)
    }

    fn reset(&self) -> Result<(), Error> {
        Ok(())
    }

    fn end(&self) {}

    fn exits(&self) -> u64 {
        0
    }
}
