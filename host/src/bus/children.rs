//! The buses that a device carries, with the devices on them.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use access::Rules;

use crate::component::{Children, Effects};
use crate::slot::{Part, Slot};

/// One bus of a device.
#[derive(Clone)]
pub enum BusTable {
    /// A PCI bus: the configuration spaces by device and function number.
    Pci(BTreeMap<u8, ConfigurationSpace>),
    /// An I2C bus: the slots by address.
    I2c(BTreeMap<u8, Arc<Slot>>),
    /// The DMA channels of an ISA bus: the slots by channel.
    IsaDma(BTreeMap<u8, Arc<Slot>>),
}

/// The configuration space of a PCI function: a region that is not mapped.
#[derive(Clone)]
pub struct ConfigurationSpace {
    /// The slot of the function.
    pub slot: Arc<Slot>,
    /// The number of the region.
    pub region: u32,
    /// How accesses meet its registers.
    pub rules: Rules,
}

impl ConfigurationSpace {
    /// Reads 1, 2 or 4 bytes.
    pub fn read(&self, offset: u16, size: u8, effects: &mut Effects) -> u32 {
        let Self { slot, region, rules } = self;
        let mut part = Part::First;
        access::read(rules, offset.into(), size, |offset, width| {
            slot.read(*region, offset, width, part.take(), effects)
        }) as u32
    }
}

/// All buses of a device. A bridge is plugged before the devices on its buses,
/// so they are filled in later, once.
///
/// A call goes down the tree only, from a bridge to a child, so the locks of
/// the slots are always taken in the same order.
#[derive(Default)]
pub struct ChildBuses {
    buses: OnceLock<Vec<BusTable>>,
}

impl ChildBuses {
    /// Buses with nothing on them yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts the devices on the buses, which are in the order of the device's
    /// description. Only the first call has an effect.
    pub fn fill(&self, buses: Vec<BusTable>) {
        let _ = self.buses.set(buses);
    }

    fn bus(&self, bus: u32) -> Option<&BusTable> {
        self.buses.get()?.get(bus as usize)
    }

    fn function(&self, bus: u32, devfn: u8) -> Option<&ConfigurationSpace> {
        match self.bus(bus)? {
            BusTable::Pci(functions) => functions.get(&devfn),
            BusTable::I2c(_) | BusTable::IsaDma(_) => None,
        }
    }

    fn channel(&self, bus: u32, channel: u8) -> Option<&Arc<Slot>> {
        match self.bus(bus)? {
            BusTable::IsaDma(channels) => channels.get(&channel),
            _ => None,
        }
    }

    /// The targets at an address; the general call, address 0, reaches all
    /// (I2C-bus specification, 3.1.13).
    fn targets(&self, bus: u32, address: u8) -> impl Iterator<Item = &Arc<Slot>> {
        let targets = match self.bus(bus) {
            Some(BusTable::I2c(targets)) => Some(targets),
            _ => None,
        };
        let all = targets.filter(|_| address == 0).into_iter().flat_map(BTreeMap::values);
        let one = targets.filter(|_| address != 0).and_then(|targets| targets.get(&address));
        all.chain(one)
    }
}

impl Children for ChildBuses {
    fn pci_read(&self, bus: u32, devfn: u8, offset: u16, size: u8, effects: &mut Effects) -> u32 {
        let function = self.function(bus, devfn);
        function.map_or(u32::MAX, |function| function.read(offset, size, effects))
    }

    fn pci_write(
        &self,
        bus: u32,
        devfn: u8,
        offset: u16,
        size: u8,
        value: u32,
        effects: &mut Effects,
    ) {
        let Some(ConfigurationSpace { slot, region, rules }) = self.function(bus, devfn) else {
            return;
        };
        let mut part = Part::First;
        access::write(rules, offset.into(), size, value.into(), |offset, width, value| {
            slot.write(*region, offset, width, value, part.take(), effects);
        });
    }

    fn i2c_start(&self, bus: u32, address: u8, read: bool, effects: &mut Effects) -> bool {
        self.targets(bus, address)
            .fold(false, |acknowledged, slot| slot.i2c_start(read, effects) | acknowledged)
    }

    fn i2c_send(&self, bus: u32, address: u8, byte: u8, effects: &mut Effects) -> bool {
        let mut answers = self.targets(bus, address).map(|slot| slot.i2c_send(byte, effects));
        match answers.next() {
            Some(first) => answers.fold(first, |all, acknowledged| all & acknowledged),
            None => false,
        }
    }

    fn i2c_receive(&self, bus: u32, address: u8, effects: &mut Effects) -> u8 {
        self.targets(bus, address).next().map_or(0xff, |slot| slot.i2c_receive(effects))
    }

    fn i2c_nack(&self, bus: u32, address: u8, effects: &mut Effects) {
        self.targets(bus, address).for_each(|slot| slot.i2c_nack(effects));
    }

    fn i2c_stop(&self, bus: u32, address: u8, effects: &mut Effects) {
        self.targets(bus, address).for_each(|slot| slot.i2c_stop(effects));
    }

    fn dma_take(&self, bus: u32, channel: u8, length: u32, effects: &mut Effects) -> Vec<u8> {
        let slot = self.channel(bus, channel);
        slot.map_or_else(Vec::new, |slot| slot.dma_take(length, effects))
    }

    fn dma_give(&self, bus: u32, channel: u8, data: &[u8], effects: &mut Effects) -> u32 {
        self.channel(bus, channel).map_or(0, |slot| slot.dma_give(data, effects))
    }

    fn dma_terminal_count(&self, bus: u32, channel: u8, effects: &mut Effects) {
        if let Some(slot) = self.channel(bus, channel) {
            slot.dma_terminal_count(effects);
        }
    }
}
