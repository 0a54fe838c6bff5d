//! A machine whose clients take the place of processors.

use std::sync::Arc;

use super::Qtest;
use crate::guest::{Error, Processors};
use crate::machine::Machine;
use crate::migrate::Blocks;
use crate::vm::CpuState;

/// Clients reach the devices and move the clock whatever the machine's state is,
/// as in QEMU: nothing runs by itself, so there is nothing to stop.
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

    fn start(&self) {}

    fn stop(&self) {}

    fn suspend(&self) {}

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

    fn have_state(&self) -> bool {
        false
    }
}
