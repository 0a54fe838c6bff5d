//! Cycles on the buses that a device carries.

use super::memory::MOST_DMA;
use super::{Outside, contract};
use crate::component::BusKind;

impl contract::pci_bus::Host for Outside {
    fn read(&mut self, bus: u32, devfn: u8, offset: u16, size: u8) -> u32 {
        if !self.has_bus(bus, BusKind::Pci) {
            return u32::MAX;
        }
        self.resources.children.pci_read(bus, devfn, offset, size, &mut self.effects)
    }

    fn write(&mut self, bus: u32, devfn: u8, offset: u16, size: u8, value: u32) {
        if self.has_bus(bus, BusKind::Pci) {
            self.resources.children.pci_write(bus, devfn, offset, size, value, &mut self.effects);
        }
    }
}

impl contract::i2c_bus::Host for Outside {
    fn start(&mut self, bus: u32, address: u8, read: bool) -> bool {
        self.has_bus(bus, BusKind::I2c)
            && self.resources.children.i2c_start(bus, address, read, &mut self.effects)
    }

    fn send(&mut self, bus: u32, address: u8, byte: u8) -> bool {
        self.has_bus(bus, BusKind::I2c)
            && self.resources.children.i2c_send(bus, address, byte, &mut self.effects)
    }

    fn receive(&mut self, bus: u32, address: u8) -> u8 {
        if !self.has_bus(bus, BusKind::I2c) {
            return 0xff;
        }
        self.resources.children.i2c_receive(bus, address, &mut self.effects)
    }

    fn nack(&mut self, bus: u32, address: u8) {
        if self.has_bus(bus, BusKind::I2c) {
            self.resources.children.i2c_nack(bus, address, &mut self.effects);
        }
    }

    fn stop(&mut self, bus: u32, address: u8) {
        if self.has_bus(bus, BusKind::I2c) {
            self.resources.children.i2c_stop(bus, address, &mut self.effects);
        }
    }
}

impl contract::isa_dma_bus::Host for Outside {
    fn take(&mut self, bus: u32, channel: u8, length: u32) -> Vec<u8> {
        if !self.has_bus(bus, BusKind::IsaDma) {
            return Vec::new();
        }
        let length = length.min(MOST_DMA);
        let taken = self.resources.children.dma_take(bus, channel, length, &mut self.effects);
        // The device on the channel is nobody to be trusted.
        taken.into_iter().take(length as usize).collect()
    }

    fn give(&mut self, bus: u32, channel: u8, data: Vec<u8>) -> u32 {
        if !self.has_bus(bus, BusKind::IsaDma) {
            return 0;
        }
        let taken = self.resources.children.dma_give(bus, channel, &data, &mut self.effects);
        taken.min(data.len() as u32)
    }

    fn terminal_count(&mut self, bus: u32, channel: u8) {
        if self.has_bus(bus, BusKind::IsaDma) {
            self.resources.children.dma_terminal_count(bus, channel, &mut self.effects);
        }
    }
}
