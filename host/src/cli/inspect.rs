//! What a component says of itself.

mod state;
mod text;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::component::{
    AccessSizes, Attachment, BusKind, Description, Direction, Image, Property, PropertyValue,
    Space, StateDescription,
};
use state::Section;

/// Everything about a component, for people and programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Inspection {
    name: String,
    version: String,
    build: String,
    summary: String,
    bytes: usize,
    sha256: String,
    attachment: &'static str,
    imports: Vec<Import>,
    exports: BTreeSet<String>,
    properties: Vec<Declared>,
    regions: Vec<Region>,
    lines: Vec<Line>,
    timers: Vec<String>,
    buses: Vec<Bus>,
    streams: Vec<String>,
    windows: Vec<Window>,
    memories: Vec<Memory>,
    drives: Vec<String>,
    /// What it saves, configured with the defaults of its properties.
    state: Vec<Section>,
    /// Why the state cannot be described.
    #[serde(skip_serializing_if = "Option::is_none")]
    state_unknown: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Import {
    interface: &'static str,
    /// Whether a machine file must grant it.
    needs_grant: bool,
}

#[derive(Serialize)]
struct Declared {
    name: String,
    default: serde_json::Value,
    summary: String,
}

#[derive(Serialize)]
struct Region {
    name: String,
    space: &'static str,
    bytes: u64,
    valid: Sizes,
    implemented: Sizes,
}

#[derive(Serialize)]
struct Sizes {
    min: u8,
    max: u8,
    unaligned: bool,
}

#[derive(Serialize)]
struct Line {
    name: String,
    direction: &'static str,
}

#[derive(Serialize)]
struct Bus {
    name: String,
    kind: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Memory {
    name: String,
    bytes: u64,
    read_only: bool,
    from_file: bool,
}

#[derive(Serialize)]
struct Window {
    name: String,
    base: u64,
    bytes: u64,
}

impl Inspection {
    pub(super) fn of(image: &Image) -> Self {
        let (state, state_unknown) = match describe_state(image) {
            Ok(state) => (state::sections(&state), None),
            Err(reason) => (Vec::new(), Some(reason)),
        };
        let Description {
            name,
            version,
            build,
            summary,
            attachment,
            properties,
            regions,
            lines,
            timers,
            buses,
            streams,
            windows,
            memories,
            drives,
        } = image.description().clone();
        let imports = image.imports().iter().map(|interface| Import {
            interface: interface.name(),
            needs_grant: !interface.is_free(),
        });
        let properties = properties.into_iter().map(|property| Declared {
            name: property.name,
            default: property.default.into(),
            summary: property.summary,
        });
        let regions = regions.into_iter().map(|region| Region {
            name: region.name,
            space: match region.space {
                Space::Port => "port",
                Space::Memory => "memory",
                Space::Configuration => "configuration",
            },
            bytes: region.size,
            valid: region.valid.into(),
            implemented: region.implemented.into(),
        });
        let lines = lines.into_iter().map(|line| Line {
            name: line.name,
            direction: match line.direction {
                Direction::Input => "input",
                Direction::Output => "output",
            },
        });
        let buses = buses.into_iter().map(|bus| Bus {
            name: bus.name,
            kind: match bus.kind {
                BusKind::Pci => "pci",
                BusKind::I2c => "i2c",
                BusKind::IsaDma => "isa-dma",
            },
        });
        let windows = windows.into_iter().map(|window| Window {
            name: window.name,
            base: window.base,
            bytes: window.size,
        });
        let memories = memories.into_iter().map(|memory| Memory {
            name: memory.name,
            bytes: memory.size,
            read_only: memory.read_only,
            from_file: memory.from_file,
        });
        Self {
            name,
            version,
            build,
            summary,
            bytes: image.size(),
            sha256: image.hash().into(),
            attachment: match attachment {
                Attachment::System => "system",
                Attachment::Pci => "pci",
                Attachment::I2c => "i2c",
                Attachment::IsaDma => "isa-dma",
            },
            imports: imports.collect(),
            exports: image.exports().clone(),
            properties: properties.collect(),
            regions: regions.collect(),
            lines: lines.collect(),
            timers,
            buses: buses.collect(),
            streams,
            windows: windows.collect(),
            memories: memories.collect(),
            drives,
            state,
            state_unknown,
        }
    }
}

impl From<AccessSizes> for Sizes {
    fn from(AccessSizes { min, max, unaligned }: AccessSizes) -> Self {
        Self { min, max, unaligned }
    }
}

/// The state depends on the properties: asks an instance with the defaults.
fn describe_state(image: &Image) -> Result<StateDescription, String> {
    let properties = &image.description().properties;
    let property = |name: &String, value: &PropertyValue| Property {
        name: name.clone(),
        value: value.clone(),
    };
    let properties = properties.iter().map(|known| property(&known.name, &known.default));
    let instance = image.instantiate_alone("(not plugged)", properties.collect());
    let mut instance = instance.map_err(|error| error.to_string())?;
    instance.describe_state().map_err(|fault| fault.to_string())
}
