//! From a machine type to components that fit together.

use std::collections::{BTreeMap, BTreeSet};

use super::file::{
    Address, Attachment, BusKind, Catalog, Described, DeviceEntry, Direction, MachineType,
    MemoryLayout, Migration, Origin, Parameters, PortWrite, PropertyPath, Setting, Sourced, Value,
};
use super::{Error, Reason};
use crate::component::{self, Description, Image, Interface, PropertyValue, RamWindow};
use crate::library::Library;
use crate::slot::GivenProperty;

/// A device that is asked for besides those of the machine type.
#[derive(Clone, Debug)]
pub struct Request {
    /// The name of one of the machine type's optional devices.
    pub template: String,
    /// Its id in the machine; the template's name if none.
    pub id: Option<String>,
    /// Its address on its bus; the next free one if none.
    pub address: Option<String>,
    /// Properties to set: name and value, as on a command line. `index` is the
    /// number of one of the device's choices, if it has any, from 0; the first
    /// that is free if none.
    pub properties: Vec<(String, String)>,
}

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
        requests: &[Request],
        library: &Library,
        parameters: Parameters,
    ) -> Result<Self, Error> {
        let mut machine = machine.clone();
        machine.settle(&parameters);
        for request in requests {
            add(&mut machine, request)?;
        }
        machine.assign_addresses()?;
        let components = Components::of(&machine, library)?;
        for request in requests {
            set(&mut machine, request, &components)?;
        }
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
        Some(pinned) if pinned.value != image.hash() => Err(Error::Pinned {
            place: pinned.origin.place(),
            device: entry.id.clone(),
            component: entry.component.value.clone(),
            found: image.hash().into(),
            expected: pinned.value.clone(),
        }),
        _ => Ok(()),
    }
}

fn missing(entry: &DeviceEntry) -> Error {
    entry.component.origin.error("no such component").into()
}

/// The property that chooses: QEMU's name.
const INDEX: &str = "index";

impl Request {
    /// The choice that is asked for.
    fn choice(&self, machine: &MachineType) -> Result<Option<usize>, Error> {
        let index = self.properties.iter().find(|(name, _)| self.chooses(name, machine));
        let number = index.map(|(name, text)| {
            let origin = Origin::outside("--device", &format!("{}.{name}", self.template));
            text.parse().map_err(|_| origin.error(format!("{text:?} found, a number expected")))
        });
        Ok(number.transpose()?)
    }

    /// Whether a property is not the device's but chooses.
    fn chooses(&self, property: &str, machine: &MachineType) -> bool {
        let template = machine.optional.iter().find(|entry| entry.id == self.template);
        property == INDEX && template.is_some_and(|template| !template.choices.is_empty())
    }
}

/// Adds a requested device where the machine type has it.
fn add(machine: &mut MachineType, request: &Request) -> Result<(), Error> {
    let id = request.id.as_ref().unwrap_or(&request.template);
    let choice = request.choice(machine)?;
    let entry = machine.plug(&request.template, id, choice)?;
    let Some(text) = &request.address else { return Ok(()) };
    let origin = Origin::outside("--device", &format!("{id}.addr"));
    let Some(place) = &mut entry.at else {
        return Err(origin.error("the device is on no bus").into());
    };
    let address: Address = text.parse().map_err(|problem| origin.error(problem))?;
    place.value.address = Some(address);
    place.origin = origin;
    Ok(())
}

/// Sets the properties of a requested device, now that their types are known.
fn set(machine: &mut MachineType, request: &Request, components: &Components) -> Result<(), Error> {
    let id = request.id.as_ref().unwrap_or(&request.template);
    let own = request.properties.iter().filter(|(name, _)| !request.chooses(name, machine));
    let own: Vec<_> = own.collect();
    let Some(entry) = machine.device_mut(id) else { return Ok(()) };
    let described = components.component(&entry.component.value);
    for (name, text) in own {
        let origin = Origin::outside("--device", &format!("{id}.{name}"));
        let kind = described.and_then(|described| described.property(name));
        // An unknown property is kept as it is: the check names it, with its
        // neighbours.
        let value = match kind {
            Some(kind) => kind.parse(text).map_err(|problem| origin.error(problem))?,
            None => Value::Text(text.clone()),
        };
        let setting = Sourced { value: Setting::Fixed(value), origin };
        entry.properties.insert(name.clone(), setting);
    }
    Ok(())
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

/// The components of a machine, also of its optional devices, as machine files
/// speak of them.
struct Components(BTreeMap<String, (Image, Described)>);

impl Components {
    fn of(machine: &MachineType, library: &Library) -> Result<Self, Error> {
        let mut components = BTreeMap::new();
        for entry in machine.devices.iter().chain(&machine.optional) {
            let name = &entry.component.value;
            if components.contains_key(name) {
                continue;
            }
            let image = library.get(name).map_err(|source| Error::Component {
                place: entry.component.origin.place(),
                device: entry.id.clone(),
                source: Box::new(source),
            })?;
            let described = image.description().into();
            components.insert(name.clone(), (image, described));
        }
        Ok(Self(components))
    }

    fn get(&self, name: &str) -> Option<&(Image, Described)> {
        self.0.get(name)
    }
}

impl Catalog for Components {
    fn component(&self, name: &str) -> Option<&Described> {
        self.get(name).map(|(_, described)| described)
    }

    fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

/// What a component says of itself, as machine files speak of it.
impl From<&Description> for Described {
    fn from(description: &Description) -> Self {
        let Description { attachment, properties, lines, buses, streams, drives, memories, .. } =
            description;
        let value = |value: &PropertyValue| match value {
            PropertyValue::Flag(flag) => Value::Flag(*flag),
            PropertyValue::Number(number) => Value::Number(*number),
            PropertyValue::Text(text) => Value::Text(text.clone()),
        };
        let direction = |direction: component::Direction| match direction {
            component::Direction::Input => Direction::Input,
            component::Direction::Output => Direction::Output,
        };
        let kind = |kind: component::BusKind| match kind {
            component::BusKind::Pci => BusKind::Pci,
            component::BusKind::I2c => BusKind::I2c,
            component::BusKind::IsaDma => BusKind::IsaDma,
        };
        Described {
            attachment: match attachment {
                component::Attachment::System => Attachment::System,
                component::Attachment::Pci => Attachment::Pci,
                component::Attachment::I2c => Attachment::I2c,
                component::Attachment::IsaDma => Attachment::IsaDma,
            },
            properties: properties.iter().map(|p| (p.name.clone(), value(&p.default))).collect(),
            lines: lines
                .iter()
                .map(|line| (line.name.clone(), direction(line.direction)))
                .collect(),
            buses: buses.iter().map(|bus| (bus.name.clone(), kind(bus.kind))).collect(),
            streams: streams.clone(),
            drives: drives.clone(),
            roms: memories.iter().filter(|m| m.from_file).map(|m| m.name.clone()).collect(),
        }
    }
}
