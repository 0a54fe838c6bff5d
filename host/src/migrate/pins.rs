//! The interrupt pins of PCI functions that no machine here has.
//!
//! QEMU counts the functions that hold each line of a bus, and saves the count
//! with the bus. Here the bus counts anew, so a function that is only kept as a
//! section must hold its lines too: else the count in a stream that is saved
//! again would be wrong for whoever has the function.

use vmstate::{Layouts, Section, Structure, Value};

use crate::machine::Pin;
use crate::machine::file::{Address, PciAddress};

/// QEMU's name of the levels of the four pins in `PCIDevice`.
const LEVELS: &str = "irq_state";

/// The pins that a section says are high.
pub(super) fn high(section: &Section) -> Vec<Pin> {
    let Some(address) = address(section) else { return Vec::new() };
    let Ok(reading) = Layouts::builtin().decode(section) else { return Vec::new() };
    let levels = reading.structure.fields.iter().find_map(|field| match &field.value {
        Value::Structure(inner) => levels(inner),
        _ => None,
    });
    let pins = (0..).zip(levels.unwrap_or_default());
    let high = pins.filter(|(_, level)| !matches!(level, Value::Unsigned(0) | Value::Signed(0)));
    high.map(|(pin, _)| Pin { slot: address.slot(), pin }).collect()
}

fn levels(device: &Structure) -> Option<&[Value]> {
    match device.get(&[LEVELS]) {
        Some(Value::List(levels)) => Some(levels),
        _ => None,
    }
}

/// The address in the path of a function on the root bus: `0000:00:03.0/e1000`.
fn address(section: &Section) -> Option<PciAddress> {
    let (path, _) = section.name.rsplit_once('/')?;
    let mut parts = path.split(':');
    let address = parts.nth(2)?;
    match (parts.next(), address.parse()) {
        (None, Ok(Address::Pci(address))) => Some(address),
        _ => None,
    }
}
