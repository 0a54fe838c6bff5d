//! The slots of PCI buses, and what is in them.

use super::{hotplug, isa, labels};
use crate::aml::{
    Term, and, arg, call, device, if_then, int, method, name, notify, return_value, scope,
};
use crate::pci_board::{Occupant, Pci, PciBus, PciDevice};

const SLOTS: u8 = 32;
const FUNCTIONS: u8 = 8;

/// How deep bridges may be behind each other: the buses of a bridge below that
/// are left out. A machine has at most 256 buses.
const DEPTH: u8 = 255;

/// The slots of the root bus.
pub(super) fn root(pci: &Pci) -> Term {
    scope("PCI0", bus(&pci.root, pci.hotplug.is_some(), DEPTH))
}

/// A bus: its number, its slots and its methods.
fn bus(bus: &PciBus, hotplug: bool, depth: u8) -> Vec<Term> {
    let mut terms = Vec::new();
    let mut pluggable = Vec::new();
    terms.extend(bus.selector.map(|selector| name("BSEL", u64::from(selector))));
    for (slot, function) in places() {
        let device = bus.device(slot, function);
        let empty_slot = function == 0 && bus.selector.is_some();
        if !device.map_or(empty_slot, PciDevice::is_described) {
            continue;
        }
        if bus.selector.is_some() && device.is_none_or(PciDevice::can_go) {
            pluggable.push(slot);
        }
        terms.push(describe(bus, slot, function, device, depth));
    }
    if bus.selector.is_some() {
        terms.push(method(2).named("DVNT", notifications(&pluggable)));
    }
    if hotplug {
        terms.push(method(0).named("PCNT", looks(bus)));
    }
    terms
}

/// A function: its address, what plugs it, what it is.
fn describe(
    bus: &PciBus,
    slot: u8,
    function: u8,
    device_there: Option<&PciDevice>,
    depth: u8,
) -> Term {
    let address = u64::from(slot) << 16 | u64::from(function);
    let mut terms = vec![name("_ADR", address)];
    if bus.selector.is_some() {
        terms.extend(labels::slot(slot));
    }
    match device_there.map(|device| &device.occupant) {
        Some(Occupant::Display) => terms.extend(stays_on()),
        Some(Occupant::IsaBridge(devices)) => terms.extend(isa::bridge(devices)),
        Some(Occupant::Bridge(behind)) => {
            if let Some(depth) = depth.checked_sub(1) {
                terms.extend(self::bus(behind, true, depth));
            }
        }
        Some(Occupant::Other) | None => {}
    }
    if bus.selector.is_some() && device_there.is_none_or(PciDevice::can_go) {
        terms.extend(ejection(slot));
    }
    device(&path(slot, function), terms)
}

/// The name of a function: its number on the bus.
fn path(slot: u8, function: u8) -> String {
    format!("S{:02X}", slot << 3 | function)
}

/// The slot's number, and the method that gives the device back (6.3.3).
fn ejection(slot: u8) -> [Term; 2] {
    [
        name("_SUN", u64::from(slot)),
        method(1).named("_EJ0", call("PCEJ", [Term::from("BSEL"), Term::from("_SUN")])),
    ]
}

/// A display that stays fully on in the shallow sleep states (7.3, `_S1D`).
fn stays_on() -> [Term; 3] {
    ["_S1D", "_S2D", "_S3D"].map(|state| method(0).named(state, return_value(0)))
}

/// Tells the operating system that event `Arg1` happened to the slots in `Arg0`.
fn notifications(slots: &[u8]) -> Vec<Term> {
    let tell = |slot: &u8| {
        let bit = and(arg(0), int(1 << slot));
        if_then(bit, notify(&path(*slot, 0), arg(1)))
    };
    slots.iter().map(tell).collect()
}

/// Looks at this bus and those behind it, in the order of their numbers.
fn looks(bus: &PciBus) -> Vec<Term> {
    let mut terms = Vec::new();
    terms.extend(bus.selector.into_iter().flat_map(hotplug::look_at));
    let mut bridges: Vec<_> = bus.devices.iter().filter_map(PciDevice::behind).collect();
    bridges.sort_by_key(|(selector, ..)| *selector);
    let look = |(_, slot, function)| call(&format!("^{}.PCNT", path(slot, function)), []);
    terms.extend(bridges.into_iter().map(look));
    terms
}

/// Every place on a bus.
fn places() -> impl Iterator<Item = (u8, u8)> {
    (0..SLOTS).flat_map(|slot| (0..FUNCTIONS).map(move |function| (slot, function)))
}

impl PciBus {
    fn device(&self, slot: u8, function: u8) -> Option<&PciDevice> {
        self.devices.iter().find(|device| (device.slot, device.function) == (slot, function))
    }
}

impl PciDevice {
    const fn is_bridge(&self) -> bool {
        matches!(self.occupant, Occupant::Bridge(_))
    }

    /// Of functions other than 0 only those that have more than an address.
    const fn is_described(&self) -> bool {
        self.function == 0 || !matches!(self.occupant, Occupant::Other)
    }

    /// The number of the bus behind the device, and its place.
    const fn behind(&self) -> Option<(Option<u32>, u8, u8)> {
        match &self.occupant {
            Occupant::Bridge(bus) => Some((bus.selector, self.slot, self.function)),
            _ => None,
        }
    }

    const fn can_go(&self) -> bool {
        self.hotpluggable && !self.is_bridge()
    }
}
