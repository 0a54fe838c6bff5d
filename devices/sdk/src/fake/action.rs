//! What can happen to a device, as data: for tests that try many sequences.

use super::Bench;
use crate::Device;

/// Something a machine does to a device.
#[derive(Clone, Debug)]
pub enum Action {
    /// A write to configuration space: offset, bytes, value.
    Configure(u16, u8, u32),
    /// A write to a port: port, bytes, value.
    Out(u16, u8, u64),
    /// A read of a port: port, bytes.
    In(u16, u8),
    /// An input line takes a level.
    Line(u32, bool),
    /// A system reset.
    Reset,
}

impl<D: Device> Bench<D> {
    /// Does it; returns what was read, or 0.
    pub fn perform(&mut self, action: &Action) -> u64 {
        match *action {
            Action::Configure(at, size, value) => self.configuration_write(at, size, value),
            Action::Out(port, size, value) => self.port_out(port, size, value),
            Action::In(port, size) => return self.port_in(port, size),
            Action::Line(line, level) => self.line(line, level),
            Action::Reset => self.reset(),
        }
        0
    }
}
