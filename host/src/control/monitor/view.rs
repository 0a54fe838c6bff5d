//! A machine's devices and buses as QEMU would have them.
//!
//! What only QEMU knows of them, names above all, the machine file says. A device
//! that carries a PCI bus of its own is two in QEMU: the one on the system's bus,
//! and the function it is on the bus that it carries.

use crate::component::BusKind;
use crate::machine::file::{Address, PciAddress};
use crate::machine::{Machine, Part, Reason};

/// All devices and buses, in the order of their creation.
pub(super) struct View<'m> {
    pub(super) devices: Vec<Device<'m>>,
    /// The first is the system's.
    pub(super) buses: Vec<Bus>,
    /// How many processors there are: they are devices, too, and come first.
    pub(super) cpus: usize,
}

/// A device.
pub(super) struct Device<'m> {
    /// The driver in QEMU, or the component's name if QEMU has none.
    pub(super) driver: String,
    /// The device of the machine that it is, or is a part of.
    pub(super) of: Part<'m>,
    /// That one's number.
    pub(super) part: usize,
    /// It is only the function on the device's own PCI bus.
    pub(super) is_function: bool,
    /// The number of the bus it is on.
    pub(super) bus: usize,
    /// Where on it.
    pub(super) address: Option<Address>,
    /// Where it is among the machine's objects.
    pub(super) path: String,
}

impl Device<'_> {
    /// The id it was given.
    pub(super) fn id(&self) -> Option<&str> {
        let named = self.of.reason == Reason::NamedRequest && !self.is_function;
        named.then_some(self.of.entry.id.as_str())
    }
}

/// A bus.
pub(super) struct Bus {
    pub(super) name: String,
    /// QEMU's type of it.
    pub(super) kind: String,
    /// The number of the device that carries it; none for the system's.
    pub(super) carrier: Option<usize>,
    pub(super) path: String,
}

/// Where QEMU puts what has no place of its own.
pub(super) const UNATTACHED: &str = "/machine/unattached";
/// The devices that were asked for by an id.
pub(super) const PERIPHERAL: &str = "/machine/peripheral";
/// The devices that were asked for without one.
pub(super) const PERIPHERAL_ANON: &str = "/machine/peripheral-anon";
/// The bus of what is on no other.
const SYSTEM_BUS: &str = "main-system-bus";

impl<'m> View<'m> {
    pub(super) fn of(machine: &'m Machine) -> Self {
        let cpus = machine.parameters().cpus as usize;
        let system = Bus {
            name: SYSTEM_BUS.into(),
            kind: "System".into(),
            carrier: None,
            path: format!("{UNATTACHED}/sysbus"),
        };
        let mut view = Self { devices: Vec::new(), buses: vec![system], cpus };
        for part in machine.parts() {
            view.add(part);
        }
        view.settle();
        view
    }

    /// The devices on a bus, in the order of their creation.
    pub(super) fn on(&self, bus: usize) -> impl DoubleEndedIterator<Item = &Device<'m>> {
        self.devices.iter().filter(move |device| device.bus == bus)
    }

    /// The buses of a device: number and bus.
    pub(super) fn carried(&self, device: usize) -> impl DoubleEndedIterator<Item = (usize, &Bus)> {
        let buses = self.buses.iter().enumerate();
        buses.filter(move |(_, bus)| bus.carrier == Some(device))
    }

    /// Adds a device and the buses it carries. On which bus it is is settled when
    /// all are known.
    fn add(&mut self, part: Part<'m>) {
        let entry = part.entry;
        let driver = entry.qemu.drivers.first().unwrap_or(&entry.component.value);
        let path = self.path(&part);
        self.push(driver, part, false, &path);
        if let Some(driver) = &entry.qemu.function {
            let path = self.unattached();
            self.push(driver, part, true, &path);
        }
    }

    fn push(&mut self, driver: &str, of: Part<'m>, is_function: bool, path: &str) {
        let address = match of.entry.at.as_ref() {
            Some(place) => place.value.address,
            None => is_function.then_some(Address::Pci(PciAddress::FIRST)),
        };
        let number = self.devices.len();
        self.devices.push(Device {
            driver: driver.into(),
            part: of.index,
            of,
            is_function,
            bus: 0,
            address,
            path: path.into(),
        });
        if is_function {
            return;
        }
        for bus in &of.image().description().buses {
            let name = of.entry.qemu.bus_name(&bus.name);
            let kind = match bus.kind {
                BusKind::Pci => "PCI",
                BusKind::I2c => "i2c-bus",
            };
            self.add_bus(number, name, kind);
        }
    }

    fn add_bus(&mut self, carrier: usize, name: &str, kind: &str) -> usize {
        let path = format!("{}/{name}", self.devices[carrier].path);
        let (name, kind) = (name.into(), kind.into());
        self.buses.push(Bus { name, kind, carrier: Some(carrier), path });
        self.buses.len() - 1
    }

    fn settle(&mut self) {
        for number in 0..self.devices.len() {
            let of = self.devices[number].of;
            let (at, qemu) = (of.entry.at.as_ref(), of.entry.qemu.bus.as_ref());
            let found = match (self.devices[number].is_function, at, qemu) {
                (true, ..) => {
                    let carrier = self.whole(&of.entry.id);
                    carrier.and_then(|carrier| Some(self.carried(carrier).next()?.0))
                }
                (_, Some(place), _) => {
                    let carrier = self.whole(&place.value.device);
                    carrier.and_then(|carrier| {
                        let name = self.devices[carrier].of.entry.qemu.bus_name(&place.value.bus);
                        self.find_bus(carrier, name)
                    })
                }
                (_, None, Some(place)) => {
                    let name = place.value.bus.clone();
                    let carrier = self.whole(&place.value.device);
                    carrier.map(|carrier| {
                        let known = self.find_bus(carrier, &name);
                        known.unwrap_or_else(|| self.add_bus(carrier, &name, &kind_of(&name)))
                    })
                }
                _ => None,
            };
            self.devices[number].bus = found.unwrap_or(0);
        }
    }

    fn find_bus(&self, carrier: usize, name: &str) -> Option<usize> {
        self.carried(carrier).find(|(_, bus)| bus.name == name).map(|(number, _)| number)
    }

    /// The number of the device with that id in the machine.
    fn whole(&self, id: &str) -> Option<usize> {
        let is = |device: &Device<'_>| device.of.entry.id == id && !device.is_function;
        self.devices.iter().position(is)
    }

    fn path(&self, part: &Part<'_>) -> String {
        match (part.reason, &part.entry.qemu.name) {
            (Reason::NamedRequest, _) => format!("{PERIPHERAL}/{}", part.entry.id),
            (Reason::Request, _) => self.next(PERIPHERAL_ANON, 0),
            (Reason::Machine, Some(name)) => format!("/machine/{name}"),
            (Reason::Machine, None) => self.unattached(),
        }
    }

    fn unattached(&self) -> String {
        self.next(UNATTACHED, self.cpus)
    }

    /// The next free name in a container that has `more` devices besides.
    fn next(&self, container: &str, more: usize) -> String {
        let is_in = |device: &&Device<'_>| {
            device.path.strip_prefix(container).is_some_and(|rest| rest.starts_with("/device["))
        };
        format!("{container}/device[{}]", more + self.devices.iter().filter(is_in).count())
    }
}

/// The type of a bus by its name: QEMU names a bus after its type, in small
/// letters, and its number.
fn kind_of(name: &str) -> String {
    name.split_once('.').map_or(name, |(kind, _)| kind).to_uppercase()
}
