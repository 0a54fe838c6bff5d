//! The formats in which sections are saved.
//!
//! The host knows no device: it asks each for a state, configured as the machine
//! type has it, and reads that with the layouts that read a stream.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use vmstate::{Layouts, Reading, Section};

use crate::component::{Instance, Property, Scope, StateDescription};
use crate::library::Library;
use crate::machine::Error;
use crate::machine::file::{Described, DeviceEntry, MachineType, Parameters, Value};

/// What devices learn of the machine; no format depends on it.
const PARAMETERS: Parameters = Parameters::new(1, 128 << 20);

/// How a section is saved.
#[derive(Clone, Debug, PartialEq)]
pub struct Format {
    /// The section's name without the device's path.
    pub kind: String,
    version: u32,
    /// The properties the layout depends on.
    switches: Vec<(Arc<str>, bool)>,
    /// The names and sizes of its fields, without subsections and without what
    /// the contents decide.
    fields: Vec<(Arc<str>, usize)>,
}

impl Format {
    fn new(kind: &str, version: u32, reading: &Reading) -> Self {
        let fields = reading.structure.fields.iter().filter(|field| !field.optional);
        let fields = fields.map(|field| (Arc::clone(&field.name), field.fixed_size()));
        let switches = reading.switches.clone();
        Self { kind: kind.to_owned(), version, switches, fields: fields.collect() }
    }

    /// The format of a section, with its contents; none if no layout is built in
    /// that it fits.
    #[must_use]
    pub fn of(section: &Section) -> Option<(Reading, Self)> {
        let reading = Layouts::builtin().decode(section).ok()?;
        let format = Self::new(section.kind(), section.version, &reading);
        Some((reading, format))
    }

    /// The formats of all sections that devices of the machine type save after a
    /// reset. What a device saves only in use is in one format everywhere.
    ///
    /// # Errors
    /// A component is missing, or does not work in this machine type.
    pub fn all_of(machine: &MachineType, library: &Library) -> Result<Vec<Self>, Error> {
        let mut formats = Vec::new();
        for device in &machine.devices {
            let (mut instance, _) = configured(machine, device, library)?;
            let failed = |fault: crate::component::Fault| Error::State {
                slot: device.id.as_str().into(),
                reason: fault.to_string(),
            };
            instance.reset(0).map_err(failed)?;
            let sections = instance.save(Scope::Stream, 0).map_err(failed)?;
            formats.extend(sections.into_iter().filter_map(Self::of_saved));
        }
        Ok(formats)
    }

    /// The format of a section as a device saves it.
    pub(super) fn of_saved(section: crate::component::Section) -> Option<Self> {
        let crate::component::Section { name, version, data } = section;
        let section = Section { id: 0, name, instance: 0, version, payload: data, offset: 0 };
        Self::of(&section).map(|(_, format)| format)
    }

    /// What a section in this format, read as `reading` from `offset` on, has
    /// and lacks compared to any of the other formats of its kind.
    pub fn compare<'a>(
        &self,
        reading: &Reading,
        offset: u64,
        others: impl Iterator<Item = &'a Self> + Clone,
    ) -> Difference {
        let others = || others.clone().filter(|other| other.kind == self.kind);
        let fields = reading.structure.fields.iter().filter(|field| !field.optional);
        let fields = fields.zip(&self.fields);
        let telling = fields.filter(|(_, own)| others().any(|other| !other.fields.contains(own)));
        let carries = telling.map(|(field, _)| Place {
            field: field.name.to_string(),
            offset: offset + field.offset as u64,
            bytes: field.size,
        });
        let mut lacks = Vec::new();
        for field in others().flat_map(|other| &other.fields) {
            let missing = Missing { field: field.0.to_string(), bytes: field.1 };
            if !self.fields.contains(field) && !lacks.contains(&missing) {
                lacks.push(missing);
            }
        }
        Difference { carries: carries.collect(), lacks }
    }
}

/// How a section differs from another format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Fields that the other does not have.
    pub carries: Vec<Place>,
    /// Fields that only the other has.
    pub lacks: Vec<Missing>,
}

/// A field and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// QEMU's name of the field.
    pub field: String,
    /// Where it begins.
    pub offset: u64,
    /// Its size.
    pub bytes: usize,
}

/// A field that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// QEMU's name of the field.
    pub field: String,
    /// Its size.
    pub bytes: usize,
}

impl Difference {
    /// The same with offsets into a file in which the stream begins at `base`.
    pub(super) fn in_file(mut self, base: u64) -> Self {
        for place in &mut self.carries {
            place.offset = place.offset.saturating_add(base);
        }
        self
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let carries = self.carries.iter().map(|Place { field, offset, bytes }| {
            format!("carries {field} ({bytes} bytes at offset {offset:#x})")
        });
        let lacks = self.lacks.iter();
        let lacks = lacks.map(|Missing { field, bytes }| format!("lacks {field} ({bytes} bytes)"));
        let all: Vec<_> = carries.chain(lacks).collect();
        if all.is_empty() {
            return f.write_str("depends on other properties of the machine");
        }
        f.write_str(&all.join(" and "))
    }
}

/// An instance of a device as the machine type configures it, and what it says
/// of its state.
pub(super) fn configured(
    machine: &MachineType,
    device: &DeviceEntry,
    library: &Library,
) -> Result<(Instance, StateDescription), Error> {
    let image = library.get(&device.component.value).map_err(|source| Error::Component {
        place: device.component.origin.place(),
        device: device.id.clone(),
        source: Box::new(source),
    })?;
    let values = machine.values(device, &Described::from(image.description()), &PARAMETERS);
    let property = |(name, value): (String, Value)| Property { name, value: value.into() };
    let properties = values.into_iter().map(property).collect();
    let instance = image.instantiate_alone(&device.id, properties).and_then(|mut instance| {
        let state = instance.describe_state()?;
        Ok((instance, state))
    });
    instance.map_err(|source| Error::Plug {
        place: device.origin.place(),
        device: device.id.clone(),
        component: device.component.value.clone(),
        source: Box::new(source),
    })
}
