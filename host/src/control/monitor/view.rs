//! A machine's devices and buses as QEMU would have them.
//!
//! What only QEMU knows of them, names above all, the machine file says. A device
//! that carries a PCI bus of its own is two in QEMU: the one on the system's bus,
//! and the function it is on the bus that it carries. Some others are two as well, as
//! the pair of interrupt controllers.

use crate::component::BusKind;
use crate::machine::file::{Address, DeviceEntry, PciAddress};
use crate::machine::{Machine, Part, Reason};

/// All devices and buses, in the order of their creation.
pub(super) struct View<'m> {
    pub(super) devices: Vec<Device<'m>>,
    /// The first is the system's.
    pub(super) buses: Vec<Bus>,
    /// Where the processors are, which are devices, too.
    pub(super) cpus: Vec<String>,
}

/// A device.
pub(super) struct Device<'m> {
    /// The driver in QEMU, or the component's name if QEMU has none.
    pub(super) driver: String,
    /// The device of the machine that it is, or is a part of.
    pub(super) of: Part<'m>,
    /// That one's number.
    pub(super) part: usize,
    /// How much of it.
    pub(super) role: Role,
    /// The number of the bus it is on.
    pub(super) bus: usize,
    /// Where on it.
    pub(super) address: Option<Address>,
    /// Where it is among the machine's objects.
    pub(super) path: String,
}

/// What a device of QEMU's is of one of the machine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The device, with its properties, lines and buses.
    Whole,
    /// The function on the device's own PCI bus.
    Function,
    /// One more beside it.
    Further,
}

impl Device<'_> {
    /// Whether all that there is to say of the machine's device is said of this one.
    pub(super) fn is_whole(&self) -> bool {
        self.role == Role::Whole
    }

    /// The id it was given.
    pub(super) fn id(&self) -> Option<&str> {
        let named = self.of.reason == Reason::NamedRequest && self.is_whole();
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
        let cpus = (0..machine.parameters().cpus).map(|cpu| cpu_path(machine, cpu)).collect();
        let system = Bus {
            name: SYSTEM_BUS.into(),
            kind: "System".into(),
            carrier: None,
            path: format!("{UNATTACHED}/sysbus"),
        };
        let mut view = Self { devices: Vec::new(), buses: vec![system], cpus };
        let mut left: Vec<_> = machine.parts().map(Some).collect();
        for number in 0..left.len() {
            view.add_behind_carrier(&mut left, number);
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

    /// Adds one of the devices that are left. As in QEMU a bus is there before what is
    /// on it.
    fn add_behind_carrier(&mut self, left: &mut [Option<Part<'m>>], number: usize) {
        let Some(part) = left.get_mut(number).and_then(Option::take) else { return };
        let carrier = part.entry.place_in_qemu().and_then(|place| {
            left.iter().position(|other| other.is_some_and(|o| o.entry.id == place.device))
        });
        if let Some(carrier) = carrier {
            self.add_behind_carrier(left, carrier);
        }
        self.add(part);
    }

    /// Adds a device and the buses it carries. On which bus it is is settled when
    /// all are known.
    fn add(&mut self, part: Part<'m>) {
        let entry = part.entry;
        let driver = entry.qemu.drivers.first().unwrap_or(&entry.component.value);
        let path = self.path(&part);
        self.push(driver, part, Role::Whole, &path);
        let function = entry.qemu.function.iter().map(|driver| (driver, Role::Function));
        let further = entry.qemu.also.iter().map(|driver| (driver, Role::Further));
        for (driver, role) in function.chain(further) {
            let path = self.unattached();
            self.push(driver, part, role, &path);
        }
    }

    fn push(&mut self, driver: &str, of: Part<'m>, role: Role, path: &str) {
        let address = match (role, of.entry.at.as_ref()) {
            (Role::Further, _) | (Role::Whole, None) => None,
            (_, Some(place)) => place.value.address,
            (Role::Function, None) => Some(Address::Pci(PciAddress::FIRST)),
        };
        let number = self.devices.len();
        self.devices.push(Device {
            driver: driver.into(),
            part: of.index,
            of,
            role,
            bus: 0,
            address,
            path: path.into(),
        });
        if role != Role::Whole {
            return;
        }
        for bus in &of.image().description().buses {
            let name = of.entry.qemu.bus_name(&bus.name);
            let kind = match bus.kind {
                BusKind::Pci => "PCI",
                BusKind::I2c => "i2c-bus",
                // To QEMU the channels are a part of the ISA bus.
                BusKind::IsaDma => continue,
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
            let found = match self.devices[number].role {
                Role::Function => self.own_bus(number),
                Role::Whole | Role::Further => self.bus_of(self.devices[number].of.entry),
            };
            self.devices[number].bus = found.unwrap_or(0);
        }
    }

    /// The first bus that a function's own device carries.
    fn own_bus(&self, function: usize) -> Option<usize> {
        let carrier = self.whole(&self.devices[function].of.entry.id)?;
        Some(self.carried(carrier).next()?.0)
    }

    /// The bus that a device is on, which may be one that only QEMU has.
    fn bus_of(&mut self, entry: &DeviceEntry) -> Option<usize> {
        let place = entry.place_in_qemu()?;
        let carrier = self.whole(&place.device)?;
        let name = self.devices[carrier].of.entry.qemu.bus_name(&place.bus);
        if let Some(known) = self.find_bus(carrier, name) {
            return Some(known);
        }
        let is_qemus = entry.qemu.bus.as_ref().is_some_and(|bus| bus.value == *place);
        is_qemus.then(|| self.add_bus(carrier, &place.bus, &kind_of(&place.bus)))
    }

    fn find_bus(&self, carrier: usize, name: &str) -> Option<usize> {
        self.carried(carrier).find(|(_, bus)| bus.name == name).map(|(number, _)| number)
    }

    /// The number of the device with that id in the machine.
    fn whole(&self, id: &str) -> Option<usize> {
        let is = |device: &Device<'_>| device.of.entry.id == id && device.is_whole();
        self.devices.iter().position(is)
    }

    fn path(&self, part: &Part<'_>) -> String {
        match (part.reason, &part.entry.qemu.name) {
            (Reason::NamedRequest, _) => format!("{PERIPHERAL}/{}", part.entry.id),
            (Reason::Request, _) => self.next(PERIPHERAL_ANON),
            (Reason::Machine, Some(name)) => format!("/machine/{name}"),
            (Reason::Machine, None) => self.unattached(),
        }
    }

    fn unattached(&self) -> String {
        self.next(UNATTACHED)
    }

    /// The first path in a container that is free.
    fn next(&self, container: &str) -> String {
        let is_taken = |path: &String| {
            self.cpus.contains(path) || self.devices.iter().any(|d| d.path == *path)
        };
        let mut number = 0;
        let mut path = numbered(container, number);
        while is_taken(&path) {
            number += 1;
            path = numbered(container, number);
        }
        path
    }
}

/// Where a processor is among the machine's objects.
pub(in crate::control) fn cpu_path(machine: &Machine, cpu: u32) -> String {
    let is_between = machine.parts().any(|part| part.entry.qemu.with_cpu);
    numbered(UNATTACHED, if is_between && cpu > 0 { cpu + 1 } else { cpu })
}

fn numbered(container: &str, number: u32) -> String {
    format!("{container}/device[{number}]")
}

/// The type of a bus by its name: QEMU names a bus after its type, in small
/// letters, and its number.
fn kind_of(name: &str) -> String {
    name.split_once('.').map_or(name, |(kind, _)| kind).to_uppercase()
}
