//! The PCI buses of a machine, as their functions' configuration spaces show
//! them.
//!
//! Looking changes nothing for a guest: the spaces are read past the bridges, so
//! that no latched address is disturbed, and what a base address register decodes
//! is found out on a copy of the device.

mod bars;

use super::build::configuration_space;
use super::file::{Address, PciAddress};
use super::plan::Planned;
use super::{Machine, Part};
use crate::bus::ConfigurationSpace;
use crate::component::{Bus, BusKind, Effects};

pub use bars::PciBar;

/// The length of the header, in bytes (PCI Local Bus Specification 3.0, 6.1).
const HEADER: usize = 64;

/// A PCI bus and the functions on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PciBus {
    /// The number of the device that carries it among the machine's devices.
    pub device: usize,
    /// Its name in that device.
    pub name: String,
    /// The functions in the order of their addresses.
    pub functions: Vec<PciFunction>,
}

/// A function on a bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PciFunction {
    /// The number of its device among the machine's devices.
    pub device: usize,
    /// Where it is on its bus.
    pub address: PciAddress,
    /// The header of its configuration space.
    pub header: [u8; HEADER],
    /// Its base address registers that decode something.
    pub bars: Vec<PciBar>,
    /// The buses behind it, if it is a bridge.
    pub buses: Vec<PciBus>,
}

impl PciFunction {
    /// 16 bits of the header, little-endian.
    #[must_use]
    pub fn word(&self, offset: usize) -> u16 {
        let byte = |at: usize| u16::from(self.header.get(at).copied().unwrap_or(0xff));
        byte(offset) | byte(offset + 1) << 8
    }

    /// A byte of the header.
    #[must_use]
    pub fn byte(&self, offset: usize) -> u8 {
        self.header.get(offset).copied().unwrap_or(0xff)
    }
}

impl Machine {
    /// The PCI buses of devices that are on no bus themselves, with all that is
    /// behind them.
    #[must_use]
    pub fn pci(&self) -> Vec<PciBus> {
        let hosts = self.parts().filter(|part| part.entry.at.is_none());
        hosts.flat_map(|host| self.buses_of(host)).collect()
    }

    fn buses_of(&self, carrier: Part<'_>) -> Vec<PciBus> {
        let image = carrier.image();
        let buses = image.description().buses.iter().filter(|bus| bus.kind == BusKind::Pci);
        buses.map(|bus| self.bus(carrier, bus)).collect()
    }

    fn bus(&self, carrier: Part<'_>, bus: &Bus) -> PciBus {
        let mut functions = Vec::new();
        // A carrier on no bus is function 00.0 on its own.
        if carrier.entry.at.is_none() {
            functions.extend(self.function(carrier, PciAddress::FIRST, Vec::new()));
        }
        for part in self.parts() {
            let Some(place) = part.entry.at.as_ref().map(|place| &place.value) else { continue };
            let here = place.device == carrier.entry.id && place.bus == bus.name;
            if let Some(Address::Pci(address)) = place.address
                && here
            {
                functions.extend(self.function(part, address, self.buses_of(part)));
            }
        }
        functions.sort_by_key(|function| function.address);
        PciBus { device: carrier.index, name: bus.name.clone(), functions }
    }

    fn function(
        &self,
        part: Part<'_>,
        address: PciAddress,
        buses: Vec<PciBus>,
    ) -> Option<PciFunction> {
        let planned: &Planned = self.planned.get(part.index)?;
        let slot = self.slots.get(part.index)?.clone();
        let space = configuration_space(planned, slot)?;
        let header = self.header(&space);
        let bars = bars::of(&space, &header);
        Some(PciFunction { device: part.index, address, header, bars, buses })
    }

    fn header(&self, space: &ConfigurationSpace) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        let mut effects = Effects::new();
        for (offset, bytes) in (0..).step_by(4).zip(header.chunks_exact_mut(4)) {
            bytes.copy_from_slice(&space.read(offset, 4, &mut effects).to_le_bytes());
        }
        // A read has none, but what a device records is never dropped.
        self.apply(&mut effects);
        header
    }
}
