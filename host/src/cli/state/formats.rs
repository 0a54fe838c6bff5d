//! The formats in which the devices of a machine type save their state.
//!
//! The host knows no device: it asks each for a state, configured as the machine
//! type has it, and reads that with the layouts that read the file.

use std::sync::Arc;

use anyhow::anyhow;
use vmstate::{Layouts, Reading};

use crate::cli::Result;
use crate::component::{Environment, Image, Limits, NoChildren, Property, Scope, SlotId};
use crate::library::Library;
use crate::machine::file::{Described, DeviceEntry, MachineType, Parameters, Value};

/// What devices learn of the machine; no format depends on it.
const PARAMETERS: Parameters = Parameters { cpus: 1, ram_size: 128 << 20 };

/// How a section is saved.
#[derive(PartialEq)]
pub(super) struct Format {
    /// The section's name without the device's path.
    pub(super) kind: String,
    version: u32,
    /// The properties the layout depends on.
    switches: Vec<(Arc<str>, bool)>,
    /// The names and sizes of its fields, without subsections.
    pub(super) fields: Vec<(Arc<str>, usize)>,
}

impl Format {
    pub(super) fn new(kind: &str, version: u32, reading: &Reading) -> Self {
        let fields =
            reading.structure.fields.iter().map(|field| (Arc::clone(&field.name), field.size));
        let switches = reading.switches.clone();
        Self { kind: kind.to_owned(), version, switches, fields: fields.collect() }
    }

    /// The formats of all sections that devices of the machine type save after a
    /// reset. What a device saves only in use is in one format everywhere.
    pub(super) fn all_of(machine: &MachineType, library: &Library) -> Result<Vec<Self>> {
        let mut formats = Vec::new();
        for device in &machine.devices {
            let component = &device.component.value;
            let wrong = |reason: String| {
                anyhow!("machine {}, device {} ({component}): {reason}", machine.name, device.id)
            };
            let image = library.get(component).map_err(|error| wrong(error.to_string()))?;
            let sections = saved(machine, device, &image).map_err(wrong)?;
            formats.extend(sections.into_iter().filter_map(format));
        }
        Ok(formats)
    }
}

/// The format of a section, unless it is of a kind that has no layout.
fn format(section: crate::component::Section) -> Option<Format> {
    let crate::component::Section { name, version, data } = section;
    let section = vmstate::Section { id: 0, name, instance: 0, version, payload: data, offset: 0 };
    let reading = Layouts::builtin().decode(&section).ok()?;
    Some(Format::new(&section.name, version, &reading))
}

fn saved(
    machine: &MachineType,
    device: &DeviceEntry,
    image: &Image,
) -> std::result::Result<Vec<crate::component::Section>, String> {
    let described = Described::from(image.description());
    let values = machine.values(device, &described, &PARAMETERS);
    let property = |(name, value): (String, Value)| Property { name, value: value.into() };
    let instance = image.instantiate(&Environment {
        slot: SlotId(0),
        name: device.id.as_str().into(),
        grants: image.imports().clone(),
        properties: values.into_iter().map(property).collect(),
        children: Arc::new(NoChildren),
        limits: Limits::default(),
    });
    let mut instance = instance.map_err(|error| error.to_string())?;
    instance.reset(0).map_err(|fault| fault.to_string())?;
    instance.save(Scope::Stream).map_err(|fault| fault.to_string())
}
