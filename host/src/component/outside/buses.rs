//! Cycles on the buses that a device carries.

use super::memory::MOST_DMA;
use super::tape::Question;
use super::{Children, Outside, contract};
use crate::component::{BusKind, Effects};

impl Outside {
    /// What the devices on the buses do goes into this device's effects.
    fn cycle<R>(&mut self, cycle: impl FnOnce(&dyn Children, &mut Effects) -> R) -> R {
        cycle(&*self.resources.children, &mut self.effects)
    }
}

impl contract::pci_bus::Host for Outside {
    fn read(&mut self, bus: u32, devfn: u8, offset: u16, size: u8) -> u32 {
        if !self.has_bus(bus, BusKind::Pci) {
            return u32::MAX;
        }
        self.ask(
            || Question::PciRead { bus, devfn, offset, size },
            |outside| {
                outside
                    .cycle(|children, effects| children.pci_read(bus, devfn, offset, size, effects))
            },
        )
    }

    fn write(&mut self, bus: u32, devfn: u8, offset: u16, size: u8, value: u32) {
        if !self.has_bus(bus, BusKind::Pci) {
            return;
        }
        self.ask(
            || Question::PciWrite { bus, devfn, offset, size, value },
            |outside| {
                outside.cycle(|children, effects| {
                    children.pci_write(bus, devfn, offset, size, value, effects);
                });
            },
        );
    }
}

impl contract::i2c_bus::Host for Outside {
    fn start(&mut self, bus: u32, address: u8, read: bool) -> bool {
        self.has_bus(bus, BusKind::I2c)
            && self.ask(
                || Question::I2cStart { bus, address, read },
                |outside| {
                    outside
                        .cycle(|children, effects| children.i2c_start(bus, address, read, effects))
                },
            )
    }

    fn send(&mut self, bus: u32, address: u8, byte: u8) -> bool {
        self.has_bus(bus, BusKind::I2c)
            && self.ask(
                || Question::I2cSend { bus, address, byte },
                |outside| {
                    outside
                        .cycle(|children, effects| children.i2c_send(bus, address, byte, effects))
                },
            )
    }

    fn receive(&mut self, bus: u32, address: u8) -> u8 {
        if !self.has_bus(bus, BusKind::I2c) {
            return 0xff;
        }
        self.ask(
            || Question::I2cReceive { bus, address },
            |outside| {
                outside.cycle(|children, effects| children.i2c_receive(bus, address, effects))
            },
        )
    }

    fn nack(&mut self, bus: u32, address: u8) {
        if self.has_bus(bus, BusKind::I2c) {
            self.ask(
                || Question::I2cNack { bus, address },
                |outside| {
                    outside.cycle(|children, effects| children.i2c_nack(bus, address, effects));
                },
            );
        }
    }

    fn stop(&mut self, bus: u32, address: u8) {
        if self.has_bus(bus, BusKind::I2c) {
            self.ask(
                || Question::I2cStop { bus, address },
                |outside| {
                    outside.cycle(|children, effects| children.i2c_stop(bus, address, effects));
                },
            );
        }
    }
}

impl contract::isa_dma_bus::Host for Outside {
    fn take(&mut self, bus: u32, channel: u8, length: u32) -> Vec<u8> {
        if !self.has_bus(bus, BusKind::IsaDma) {
            return Vec::new();
        }
        let length = length.min(MOST_DMA);
        let taken: Vec<u8> = self.ask(
            || Question::IsaTake { bus, channel, length },
            |outside| {
                outside.cycle(|children, effects| children.dma_take(bus, channel, length, effects))
            },
        );
        // The device on the channel is nobody to be trusted.
        taken.into_iter().take(length as usize).collect()
    }

    fn give(&mut self, bus: u32, channel: u8, data: Vec<u8>) -> u32 {
        if !self.has_bus(bus, BusKind::IsaDma) {
            return 0;
        }
        let taken: u32 = self.ask(
            || Question::IsaGive { bus, channel, data: data.clone() },
            |outside| {
                outside.cycle(|children, effects| children.dma_give(bus, channel, &data, effects))
            },
        );
        taken.min(data.len() as u32)
    }

    fn terminal_count(&mut self, bus: u32, channel: u8) {
        if self.has_bus(bus, BusKind::IsaDma) {
            self.ask(
                || Question::IsaEnd { bus, channel },
                |outside| {
                    outside.cycle(|children, effects| {
                        children.dma_terminal_count(bus, channel, effects);
                    });
                },
            );
        }
    }
}
