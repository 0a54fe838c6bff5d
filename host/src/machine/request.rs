//! Devices that are asked for besides those of the machine type: its optional ones, and
//! any component's file.

use super::components::Components;
use super::file::{
    Address, Attachment, BusKind, Catalog as _, Described, DeviceEntry, Error, Limit, MachineType,
    Origin, Place, Setting, Sourced, Value,
};
use crate::library;

/// A device that is asked for besides those of the machine type.
#[derive(Clone, Debug)]
pub struct DeviceRequest {
    /// The name of one of the machine type's optional devices, or a component's file,
    /// which has a slash in its name or ends in `.wasm`.
    pub template: String,
    /// Its id in the machine; the template's name, or the file's without `.wasm`, if
    /// none.
    pub id: Option<String>,
    /// Its address on its bus; the next free one if none.
    pub address: Option<String>,
    /// What else is said of it, name and value, as on a command line.
    ///
    /// `index` is the number of one of the device's choices, if it has any, from 0; the
    /// first that is free if none. `bus` is where it is plugged in, `device/bus` or the
    /// bus's name; the first bus that it fits into if none. `sha256`, `grant` (once for
    /// each), `directory`, `wire.LINE`, `stream.NAME`, `drive.NAME`, `rom.NAME` and
    /// `limit.NAME` are what a machine file says of a device. All others are its
    /// properties.
    pub settings: Vec<(String, String)>,
}

/// What a setting is about.
enum Subject<'a> {
    Choice,
    Bus,
    Sha256,
    Grant,
    Directory,
    Wire(&'a str),
    Stream(&'a str),
    Drive(&'a str),
    Rom(&'a str),
    Limit(&'a str),
    Property(&'a str),
}

impl<'a> Subject<'a> {
    fn of(name: &'a str, template: &DeviceEntry) -> Self {
        match name.split_once('.') {
            Some(("wire", line)) => Self::Wire(line),
            Some(("stream", stream)) => Self::Stream(stream),
            Some(("drive", drive)) => Self::Drive(drive),
            Some(("rom", rom)) => Self::Rom(rom),
            Some(("limit", limit)) => Self::Limit(limit),
            _ => match name {
                "bus" => Self::Bus,
                "sha256" => Self::Sha256,
                "grant" => Self::Grant,
                "directory" => Self::Directory,
                INDEX if !template.choices.is_empty() => Self::Choice,
                _ => Self::Property(name),
            },
        }
    }
}

/// The property that chooses: QEMU's name.
const INDEX: &str = "index";

impl DeviceRequest {
    /// A request for a device of which nothing else is said.
    #[must_use]
    pub fn new(template: &str) -> Self {
        Self { template: template.into(), id: None, address: None, settings: Vec::new() }
    }

    /// Its id in the machine.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_else(|| {
            if !self.is_file() {
                return &self.template;
            }
            let name = self.template.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            // Without the name of a manifest.
            let name = name.split(':').next().unwrap_or_default();
            name.strip_suffix(".wasm").unwrap_or(name)
        })
    }

    fn is_file(&self) -> bool {
        library::is_file(&self.template)
    }

    /// Adds the device to a machine. `option` is what errors say it was asked for with.
    ///
    /// # Errors
    /// There is no such device, its id is taken, there is no bus for it, or something
    /// else that is said of it makes no sense.
    pub(crate) fn plug(
        &self,
        option: &str,
        machine: &mut MachineType,
        components: &mut Components<'_>,
    ) -> Result<(), super::Error> {
        let template = if self.is_file() {
            let source = Origin::outside(option, "");
            let mut device = DeviceEntry::new(self.id(), &self.template, source);
            components.add(&device)?;
            device.at = first_bus(machine, components, &device)?;
            device
        } else {
            machine.template(&self.template)?.clone()
        };
        let origin = |name: &str| Origin::outside(option, &format!("{}.{name}", self.id()));
        let (mut choice, mut at) = (None, template.at.clone());
        for (name, text) in &self.settings {
            match Subject::of(name, &template) {
                Subject::Choice => choice = Some(index(text).map_err(|p| origin(name).error(p))?),
                Subject::Bus => {
                    let value = place(text, machine, components);
                    let value = value.map_err(|problem| origin(name).error(problem))?;
                    at = Some(Sourced { value, origin: origin(name) });
                }
                _ => {}
            }
        }
        if let Some(text) = &self.address {
            let origin = origin("addr");
            let Some(place) = &mut at else {
                return Err(origin.error("the device is on no bus").into());
            };
            let described = components.component(&template.component.value);
            let address = address(text, described).map_err(|problem| origin.error(problem))?;
            place.value.address = Some(address);
            place.origin = origin;
        }
        let chosen = machine.chosen(&template, choice)?;
        let mut device = DeviceEntry { id: self.id().into(), at, ..chosen };
        let described = components.component(&device.component.value);
        for (name, text) in &self.settings {
            let subject = Subject::of(name, &template);
            set(&mut device, subject, text, &origin(name), described)?;
        }
        machine.add(device)?;
        Ok(())
    }
}

/// Reads an address on the bus that a device needs. The error is a phrase.
fn address(text: &str, described: Option<&Described>) -> Result<Address, String> {
    match described.map(|described| described.attachment) {
        // QEMU takes it with and without the prefix.
        Some(Attachment::Pci) => text.strip_prefix("0x").unwrap_or(text).parse(),
        _ => text.parse(),
    }
}

fn index(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("{text:?} found, a number expected"))
}

/// Does to a device what a setting says of it.
fn set(
    device: &mut DeviceEntry,
    subject: Subject<'_>,
    text: &str,
    origin: &Origin,
    described: Option<&Described>,
) -> Result<(), Error> {
    let at = |problem: String| origin.error(problem);
    let name = || Sourced { value: text.to_owned(), origin: origin.clone() };
    match subject {
        Subject::Choice | Subject::Bus => {}
        Subject::Sha256 => {
            let value = text.parse().map_err(at)?;
            device.sha256 = Some(Sourced { value, origin: origin.clone() });
        }
        Subject::Grant => {
            device.grants.insert(text.parse().map_err(at)?);
        }
        Subject::Directory => device.directory = Some(name()),
        Subject::Wire(line) => {
            let value = text.parse().map_err(at)?;
            device.wires.insert(line.into(), Sourced { value, origin: origin.clone() });
        }
        Subject::Stream(stream) => drop(device.streams.insert(stream.into(), name())),
        Subject::Drive(drive) => drop(device.drives.insert(drive.into(), name())),
        Subject::Rom(rom) => drop(device.roms.insert(rom.into(), name())),
        Subject::Limit(limit) => {
            let limit = Limit::named(limit).map_err(at)?;
            let number = text.parse().map_err(|_| at(format!("{text:?} is no number")))?;
            device.limits.insert(limit, limit.value(number).map_err(at)?);
        }
        Subject::Property(property) => {
            let kind = described.and_then(|described| described.property(property));
            // An unknown property is kept as it is: the check names it, with its
            // neighbours.
            let value = match kind {
                Some(kind) => kind.parse(text).map_err(at)?,
                None => Value::Text(text.into()),
            };
            let setting = Sourced { value: Setting::Fixed(value), origin: origin.clone() };
            device.properties.insert(property.into(), setting);
        }
    }
    Ok(())
}

/// The buses of a machine: device, bus and kind.
fn buses<'a>(
    machine: &'a MachineType,
    components: &'a Components<'_>,
) -> impl Iterator<Item = (&'a DeviceEntry, &'a str, BusKind)> {
    machine.devices.iter().flat_map(|device| {
        let described = components.component(&device.component.value);
        let buses = described.into_iter().flat_map(|described| &described.buses);
        buses.map(move |(bus, kind)| (device, bus.as_str(), *kind))
    })
}

/// Reads where a device is to be plugged in: `device/bus`, or the name of a bus, also as
/// QEMU has it, `pci.0`. The error is a phrase.
fn place(text: &str, machine: &MachineType, components: &Components<'_>) -> Result<Place, String> {
    if text.contains('/') {
        return text.parse();
    }
    let name = text.strip_suffix(".0").unwrap_or(text);
    let is_called = |device: &DeviceEntry, bus: &str| {
        [text, name].contains(&bus) || device.qemu.bus_name(bus) == text
    };
    let found = buses(machine, components).find(|(device, bus, _)| is_called(device, bus));
    found.map(|(device, bus, _)| of(device, bus)).ok_or_else(|| {
        let known = buses(machine, components).map(|(device, bus, _)| of(device, bus).to_string());
        let known: Vec<_> = known.collect();
        format!("no bus {text:?}; this machine has {}", known.join(", "))
    })
}

/// The first bus of the machine that a device fits into; none if it needs none.
fn first_bus(
    machine: &MachineType,
    components: &Components<'_>,
    device: &DeviceEntry,
) -> Result<Option<Sourced<Place>>, Error> {
    let described = components.component(&device.component.value);
    let wanted = match described.map(|described| described.attachment) {
        Some(Attachment::Pci) => BusKind::Pci,
        Some(Attachment::I2c) => BusKind::I2c,
        Some(Attachment::IsaDma) => BusKind::IsaDma,
        Some(Attachment::System) | None => return Ok(None),
    };
    let found = buses(machine, components).find(|(.., kind)| *kind == wanted);
    let missing = || format!("machine {} has no bus that the device fits into", machine.name);
    let (owner, bus, _) = found.ok_or_else(|| device.origin.error(missing()))?;
    Ok(Some(Sourced { value: of(owner, bus), origin: device.origin.clone() }))
}

/// Anywhere on a bus.
fn of(owner: &DeviceEntry, bus: &str) -> Place {
    Place { device: owner.id.clone(), bus: bus.into(), address: None }
}
