//! What is on the child PCI bus of a device on the bench.

use std::cell::RefCell;
use std::rc::Rc;

use super::Bench;
use crate::Device;

/// The configuration space of a function on the child PCI bus.
pub trait ConfigurationSpace {
    /// Reads `size` bytes at `offset`; 1, 2 or 4.
    fn read(&mut self, offset: u16, size: u8) -> u32;

    /// Writes.
    fn write(&mut self, offset: u16, size: u8, value: u32);
}

/// A function that is nothing but memory.
impl ConfigurationSpace for [u8; 256] {
    fn read(&mut self, offset: u16, size: u8) -> u32 {
        let bytes = self.iter().skip(offset.into()).take(size.into()).rev();
        bytes.fold(0, |value, &byte| value << 8 | u32::from(byte))
    }

    fn write(&mut self, offset: u16, size: u8, value: u32) {
        let bytes = self.iter_mut().skip(offset.into()).take(size.into());
        for (byte, new) in bytes.zip(value.to_le_bytes()) {
            *byte = new;
        }
    }
}

/// A device on a bench of its own, which the test keeps a hand on.
impl<D: Device> ConfigurationSpace for Rc<RefCell<Bench<D>>> {
    fn read(&mut self, offset: u16, size: u8) -> u32 {
        self.borrow_mut().configuration_read(offset, size)
    }

    fn write(&mut self, offset: u16, size: u8, value: u32) {
        self.borrow_mut().configuration_write(offset, size, value);
    }
}
