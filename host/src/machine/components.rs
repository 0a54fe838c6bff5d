//! The components of a machine, as machine files speak of them.

use std::collections::BTreeMap;

use super::Error;
use super::file::{
    Attachment, BusKind, Catalog, Described, DeviceEntry, Direction, MachineType, Value,
};
use crate::component::{self, Description, Image, PropertyValue};
use crate::library::Library;

/// The components of a machine, also of its optional devices.
pub(crate) struct Components<'l> {
    library: &'l Library,
    known: BTreeMap<String, (Image, Described)>,
}

impl<'l> Components<'l> {
    /// Those of all devices of a machine.
    ///
    /// # Errors
    /// One is missing or unusable.
    pub(crate) fn of(machine: &MachineType, library: &'l Library) -> Result<Self, Error> {
        let mut components = Self { library, known: BTreeMap::new() };
        for entry in machine.entries() {
            components.add(entry)?;
        }
        Ok(components)
    }

    /// Adds that of a device, unless it is known.
    pub(super) fn add(&mut self, entry: &DeviceEntry) -> Result<(), Error> {
        let name = &entry.component.value;
        if !self.known.contains_key(name) {
            let image = self.library.get(name).map_err(|source| Error::Component {
                place: entry.component.origin.place(),
                device: entry.id.clone(),
                source: Box::new(source),
            })?;
            let described = image.description().into();
            self.known.insert(name.clone(), (image, described));
        }
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Option<&(Image, Described)> {
        self.known.get(name)
    }
}

impl Catalog for Components<'_> {
    fn component(&self, name: &str) -> Option<&Described> {
        self.get(name).map(|(_, described)| described)
    }

    fn names(&self) -> Vec<&str> {
        self.known.keys().map(String::as_str).collect()
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
