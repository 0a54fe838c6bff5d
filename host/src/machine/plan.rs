//! From a machine type to components that fit together.

use std::collections::{BTreeMap, BTreeSet};

use super::components::Components;
use super::file::{
    Address, DeviceEntry, MachineType, MemoryLayout, Migration, Parameters, PortWrite,
    PropertyPath, Value,
};
use super::{DeviceRequest, Error, Reason};
use crate::component::{self, Image, Interface, PropertyValue, RamWindow};
use crate::library::Library;
use crate::slot::GivenProperty;

/// A machine type with a component for each device, checked.
pub struct Plan {
    pub(super) name: String,
    pub(super) parameters: Parameters,
    pub(super) memory: MemoryLayout,
    pub(super) migration: Migration,
    pub(super) options: BTreeMap<String, PropertyPath>,
    pub(super) without_firmware: Vec<PortWrite>,
    pub(super) devices: Vec<Planned>,
    pub(super) optional: Vec<Planned>,
}

/// A device and its component.
#[derive(Clone)]
pub(super) struct Planned {
    pub(super) entry: DeviceEntry,
    pub(super) image: Image,
    pub(super) properties: Vec<GivenProperty>,
    pub(super) grants: BTreeSet<Interface>,
    pub(super) reason: Reason,
}

impl Plan {
    /// Plans a machine. `parameters` is what the devices learn of it.
    ///
    /// # Errors
    /// A component is missing or unusable, the machine type does not fit its
    /// components, or a device imports what it is not granted.
    pub fn new(
        machine: &MachineType,
        requests: &[DeviceRequest],
        library: &Library,
        parameters: Parameters,
    ) -> Result<Self, Error> {
        let mut machine = machine.clone();
        machine.settle(&parameters);
        let mut components = Components::of(&machine, library)?;
        for request in requests {
            request.plug("--device", &mut machine, &mut components)?;
        }
        machine.assign_addresses()?;
        machine.check(&components)?;
        let planned = |entry: &DeviceEntry| {
            let component = components.get(&entry.component.value);
            let (image, described) = component.ok_or_else(|| missing(entry))?;
            let values = machine.values(entry, described, &parameters);
            let properties = values.into_iter().map(given).collect();
            let grants = entry.grants.iter().filter_map(|grant| grant.name().parse().ok());
            let grants = grants.collect();
            check_hash(entry, image)?;
            image.check_grants(&grants).map_err(|source| plug_error(entry, source))?;
            let reason = Reason::of(entry, requests);
            Ok(Planned { entry: entry.clone(), image: image.clone(), properties, grants, reason })
        };
        Ok(Self {
            name: machine.name.clone(),
            parameters,
            memory: machine.memory,
            migration: machine.migration,
            options: machine.options.iter().map(|(n, p)| (n.clone(), p.value.clone())).collect(),
            without_firmware: machine.without_firmware.clone(),
            devices: machine.devices.iter().map(planned).collect::<Result<_, Error>>()?,
            optional: machine.optional.iter().map(planned).collect::<Result<_, Error>>()?,
        })
    }

    /// The RAM windows of all devices, in the order in which a board numbers
    /// them.
    pub fn windows(&self) -> impl Iterator<Item = &RamWindow> {
        self.devices.iter().flat_map(|device| &device.image.description().windows)
    }

    /// Where a device sits on PCI, as QEMU's saved state names it:
    /// `0000:00:01.3`, with one more `:SS.F` for each bridge on the way. A
    /// device on no bus that carries a PCI bus is function 00.0 on it.
    pub(super) fn pci_path(&self, device: &Planned) -> Option<String> {
        const ROOT: &str = "0000:00";
        let place = device.entry.at.as_ref().map(|place| &place.value);
        let Some(place) = place else {
            let buses = &device.image.description().buses;
            let carries = buses.iter().any(|bus| bus.kind == component::BusKind::Pci);
            return carries.then(|| format!("{ROOT}:00.0"));
        };
        let Some(Address::Pci(address)) = place.address else { return None };
        let owner = self.devices.iter().find(|owner| owner.entry.id == place.device)?;
        let bus = match owner.entry.at {
            Some(_) => self.pci_path(owner)?,
            None => ROOT.into(),
        };
        Some(format!("{bus}:{address}"))
    }

    /// The names of the host's streams that devices are connected to.
    #[must_use]
    pub fn streams(&self) -> BTreeSet<&str> {
        let streams = self.devices.iter().flat_map(|device| device.entry.streams.values());
        streams.map(|stream| stream.value.as_str()).collect()
    }

    /// The names of the host's drives that devices have.
    #[must_use]
    pub fn drives(&self) -> BTreeSet<&str> {
        let drives = self.devices.iter().flat_map(|device| device.entry.drives.values());
        drives.map(|drive| drive.value.as_str()).collect()
    }

    /// The devices and their streams that are connected to a stream of the
    /// host: slot and stream.
    pub fn ends_of<'a>(&'a self, stream: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.devices.iter().flat_map(move |device| {
            let streams = device.entry.streams.iter();
            let ends = streams.filter(move |(_, host)| host.value == stream);
            ends.map(|(end, _)| (device.entry.id.as_str(), end.as_str()))
        })
    }
}

pub(super) fn plug_error(entry: &DeviceEntry, source: component::Error) -> Error {
    Error::Plug {
        place: entry.origin.place(),
        device: entry.id.clone(),
        component: entry.component.value.clone(),
        source: Box::new(source),
    }
}

/// Refuses a component that is not the one that is pinned.
fn check_hash(entry: &DeviceEntry, image: &Image) -> Result<(), Error> {
    match &entry.sha256 {
        Some(pinned) if pinned.value.as_str() != image.hash() => Err(Error::Pinned {
            place: pinned.origin.place(),
            device: entry.id.clone(),
            component: entry.component.value.clone(),
            found: image.hash().into(),
            expected: pinned.value.to_string(),
        }),
        _ => Ok(()),
    }
}

fn missing(entry: &DeviceEntry) -> Error {
    entry.component.origin.error("no such component").into()
}

fn given((name, value): (String, Value)) -> GivenProperty {
    GivenProperty { name, value: value.into() }
}

impl From<Value> for PropertyValue {
    fn from(value: Value) -> Self {
        match value {
            Value::Flag(flag) => Self::Flag(flag),
            Value::Number(number) => Self::Number(number),
            Value::Text(text) => Self::Text(text),
        }
    }
}
