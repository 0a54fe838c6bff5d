//! The devices on the buses that a device carries.

use crate::component::Effects;

/// How a device reaches the devices on the buses it carries. What they do goes
/// into the caller's effects.
pub trait Children: Send + Sync {
    /// `pci-bus.read`
    fn pci_read(&self, bus: u32, devfn: u8, offset: u16, size: u8, effects: &mut Effects) -> u32;
    /// `pci-bus.write`
    fn pci_write(
        &self,
        bus: u32,
        devfn: u8,
        offset: u16,
        size: u8,
        value: u32,
        effects: &mut Effects,
    );
    /// `i2c-bus.start`
    fn i2c_start(&self, bus: u32, address: u8, read: bool, effects: &mut Effects) -> bool;
    /// `i2c-bus.send`
    fn i2c_send(&self, bus: u32, address: u8, byte: u8, effects: &mut Effects) -> bool;
    /// `i2c-bus.receive`
    fn i2c_receive(&self, bus: u32, address: u8, effects: &mut Effects) -> u8;
    /// `i2c-bus.nack`
    fn i2c_nack(&self, bus: u32, address: u8, effects: &mut Effects);
    /// `i2c-bus.stop`
    fn i2c_stop(&self, bus: u32, address: u8, effects: &mut Effects);
    /// `isa-dma-bus.take`
    fn dma_take(&self, bus: u32, channel: u8, length: u32, effects: &mut Effects) -> Vec<u8>;
    /// `isa-dma-bus.give`
    fn dma_give(&self, bus: u32, channel: u8, data: &[u8], effects: &mut Effects) -> u32;
    /// `isa-dma-bus.terminal-count`
    fn dma_terminal_count(&self, bus: u32, channel: u8, effects: &mut Effects);
}

/// For a device that carries no bus: nobody answers.
pub struct NoChildren;

impl Children for NoChildren {
    fn pci_read(&self, _: u32, _: u8, _: u16, _: u8, _: &mut Effects) -> u32 {
        u32::MAX
    }

    fn pci_write(&self, _: u32, _: u8, _: u16, _: u8, _: u32, _: &mut Effects) {}

    fn i2c_start(&self, _: u32, _: u8, _: bool, _: &mut Effects) -> bool {
        false
    }

    fn i2c_send(&self, _: u32, _: u8, _: u8, _: &mut Effects) -> bool {
        false
    }

    fn i2c_receive(&self, _: u32, _: u8, _: &mut Effects) -> u8 {
        0xff
    }

    fn i2c_nack(&self, _: u32, _: u8, _: &mut Effects) {}

    fn i2c_stop(&self, _: u32, _: u8, _: &mut Effects) {}

    fn dma_take(&self, _: u32, _: u8, _: u32, _: &mut Effects) -> Vec<u8> {
        Vec::new()
    }

    fn dma_give(&self, _: u32, _: u8, _: &[u8], _: &mut Effects) -> u32 {
        0
    }

    fn dma_terminal_count(&self, _: u32, _: u8, _: &mut Effects) {}
}
