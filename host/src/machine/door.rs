//! The door by which processors reach the machine.

use std::cell::RefCell;
use std::sync::Arc;

use super::Machine;
use crate::component::{Effects, Engine};
use crate::vm::Door;

thread_local! {
    /// Kept from access to access, so that an access allocates nothing.
    static EFFECTS: RefCell<Effects> = const { RefCell::new(Effects::new()) };
}

/// A machine as its processors see it.
pub struct MachineDoor {
    machine: Arc<Machine>,
}

impl MachineDoor {
    /// The door to a machine.
    #[must_use]
    pub fn new(machine: Arc<Machine>) -> Self {
        Self { machine }
    }
}

impl Door for MachineDoor {
    fn port_read(&self, port: u16, data: &mut [u8]) {
        let value = with_effects(|effects| self.machine.port_read(port, width(data), effects));
        fill(data, value);
    }

    fn port_write(&self, port: u16, data: &[u8]) {
        with_effects(|effects| self.machine.port_write(port, width(data), value(data), effects));
    }

    fn memory_read(&self, address: u64, data: &mut [u8]) {
        let value = with_effects(|effects| self.machine.memory_read(address, width(data), effects));
        fill(data, value);
    }

    fn memory_write(&self, address: u64, data: &[u8]) {
        with_effects(|effects| {
            self.machine.memory_write(address, width(data), value(data), effects);
        });
    }

    fn acknowledge_interrupt(&self) -> Option<u8> {
        with_effects(|effects| self.machine.acknowledge_interrupt(effects))
    }

    fn end_interrupt(&self, vector: u8) {
        with_effects(|effects| self.machine.end_interrupt(vector, effects));
    }

    fn thread_started(&self) {
        Engine::prepare_thread();
        with_effects(|effects| effects.reserve(64));
    }
}

fn with_effects<R>(access: impl FnOnce(&mut Effects) -> R) -> R {
    EFFECTS.with_borrow_mut(access)
}

fn width(data: &[u8]) -> u8 {
    data.len().min(8) as u8
}

fn value(data: &[u8]) -> u64 {
    data.iter().take(8).rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

fn fill(data: &mut [u8], value: u64) {
    for (byte, new) in data.iter_mut().zip(value.to_le_bytes()) {
        *byte = new;
    }
}
