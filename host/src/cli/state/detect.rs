//! `southbridge state detect`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use vmstate::{Layouts, Reading, Section};

use super::formats::Format;
use super::plain;
use super::source::Source;
use crate::cli::Result;
use crate::cli::output::Output;
use crate::library::Library;
use crate::machine::file::{MachineType, MachineTypes};

/// What a saved state is.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Detection {
    file: String,
    /// Whether the file is one of `xl save`, with the stream in it.
    xl_save_file: bool,
    /// Where the stream begins in the file.
    offset: u64,
    form: Form,
    /// The machine the stream says it is of.
    machine: Option<String>,
    footers: bool,
    description: bool,
    sections: usize,
    evidence: Vec<Evidence>,
    /// The machine types that save such a state.
    fits: Vec<Fit>,
}

/// The forms of a stream.
#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Form {
    /// Written by `migrate`, and says the machine.
    Configured,
    /// The same without a configuration section.
    Unconfigured,
    /// Written by `xen-save-devices-state`: devices alone.
    Bare,
}

/// A section that not all machine types save alike.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Evidence {
    section: String,
    instance: u32,
    version: u32,
    /// Where its payload begins in the file.
    offset: u64,
    /// The properties its format depends on.
    properties: BTreeMap<String, bool>,
    /// Fields that some machine types do not save.
    carries: Vec<Place>,
    /// Fields that only other machine types save.
    lacks: Vec<Missing>,
}

#[derive(Serialize)]
struct Place {
    field: String,
    offset: u64,
    bytes: usize,
}

#[derive(PartialEq, Serialize)]
struct Missing {
    field: String,
    bytes: usize,
}

#[derive(Serialize)]
struct Fit {
    name: String,
    aliases: Vec<String>,
}

/// A section of the file and its format.
struct Found<'a> {
    section: &'a Section,
    /// None if the file's own description is needed to read it.
    read: Option<(Reading, Format)>,
}

impl Detection {
    pub(super) fn of(source: &Source, types: &MachineTypes, library: &Library) -> Result<Self> {
        let devices = &source.stream.devices;
        let found = devices.sections.iter().map(|section| {
            let reading = Layouts::builtin().decode(section).ok();
            let format = |reading: Reading| {
                let format = Format::new(section.kind(), section.version, &reading);
                (reading, format)
            };
            Found { section, read: reading.map(format) }
        });
        let found: Vec<_> = found.collect();
        let mut formats = Vec::new();
        let mut fits = Vec::new();
        for machine in types.iter() {
            let saved = Format::all_of(machine, library)?;
            if frames_alike(machine, source) && found.iter().all(|found| found.fits(&saved)) {
                fits.push(Fit { name: machine.name.clone(), aliases: machine.aliases.clone() });
            }
            formats.extend(saved);
        }
        let form = match source.stream.configuration {
            Some(_) => Form::Configured,
            None if source.is_bare() => Form::Bare,
            None => Form::Unconfigured,
        };
        Ok(Self {
            file: source.file.clone(),
            xl_save_file: source.is_xl,
            offset: source.offset,
            form,
            machine: source.machine().map(str::to_owned),
            footers: devices.footers,
            description: devices.description.is_some(),
            sections: devices.sections.len(),
            evidence: found.iter().filter_map(|found| found.evidence(source, &formats)).collect(),
            fits,
        })
    }

    /// The detection as text.
    pub(super) fn text(&self, output: &Output) -> String {
        let yes = |is: bool| if is { "yes" } else { "no" };
        let file = match self.xl_save_file {
            true => format!("a file of xl save, the stream at offset {:#x}", self.offset),
            false => "a stream of QEMU's".to_owned(),
        };
        let form = match self.form {
            Form::Configured => "a migration stream with a configuration section",
            Form::Unconfigured => "a migration stream without a configuration section",
            Form::Bare => "device sections alone, Xen's bare form",
        };
        let machine = self.machine.as_deref().map_or("not stated".into(), plain);
        let mut text = format!("{}: {file}\n", output.heading(&self.file));
        for (name, value) in [
            ("form", form),
            ("machine", &machine),
            ("footers", yes(self.footers)),
            ("description", yes(self.description)),
            ("sections", &self.sections.to_string()),
        ] {
            text += &format!("{name:<13}{value}\n");
        }
        let fits = self.fits.iter().map(|fit| match fit.aliases.as_slice() {
            [] => fit.name.clone(),
            aliases => format!("{} (alias {})", fit.name, aliases.join(", ")),
        });
        let fits: Vec<_> = fits.collect();
        let none = "no machine type of this program";
        text += &format!("{:<13}{}\n", "fits", fits.first().map_or(none, String::as_str));
        for fit in fits.iter().skip(1) {
            text += &format!("{:<13}{fit}\n", "");
        }
        self.evidence.iter().fold(text, |text, evidence| text + &evidence.text())
    }
}

/// Whether a stream of the machine type has the same parts around its sections.
/// Anybody may leave out the description, so that says nothing.
fn frames_alike(machine: &MachineType, source: &Source) -> bool {
    let devices = &source.stream.devices;
    let stated = source.machine();
    // In the bare form no machine type states anything.
    let configured = source.is_bare() || machine.migration.send_configuration == stated.is_some();
    let footers =
        devices.sections.is_empty() || machine.migration.send_section_footer == devices.footers;
    configured && footers && stated.is_none_or(|stated| stated == machine.name)
}

impl Found<'_> {
    /// Whether a machine type that saves in these formats saves this section, or
    /// one of a device it does not have.
    fn fits(&self, saved: &[Format]) -> bool {
        let mut same_kind =
            saved.iter().filter(|saved| saved.kind == self.section.kind()).peekable();
        let format = self.read.as_ref().map(|(_, format)| format);
        same_kind.peek().is_none() || same_kind.any(|saved| Some(saved) == format)
    }

    fn evidence(&self, source: &Source, formats: &[Format]) -> Option<Evidence> {
        let (reading, format) = self.read.as_ref()?;
        let others = || formats.iter().filter(|other| other.kind == format.kind);
        let offset = source.offset_of(self.section);
        let fields = reading.structure.fields.iter().zip(&format.fields);
        let telling = fields.filter(|(_, own)| others().any(|other| !other.fields.contains(own)));
        let carries = telling.map(|(field, _)| Place {
            field: field.name.to_string(),
            offset: offset + field.offset as u64,
            bytes: field.size,
        });
        let mut lacks = Vec::new();
        for field in others().flat_map(|other| &other.fields) {
            let missing = Missing { field: field.0.to_string(), bytes: field.1 };
            if !format.fields.contains(field) && !lacks.contains(&missing) {
                lacks.push(missing);
            }
        }
        let properties = reading.switches.iter().map(|(name, on)| (name.to_string(), *on));
        let evidence = Evidence {
            section: self.section.name.clone(),
            instance: self.section.instance,
            version: self.section.version,
            offset,
            properties: properties.collect(),
            carries: carries.collect(),
            lacks,
        };
        let Evidence { properties, carries, lacks, .. } = &evidence;
        let tells = !(properties.is_empty() && carries.is_empty() && lacks.is_empty());
        tells.then_some(evidence)
    }
}

impl Evidence {
    fn text(&self) -> String {
        let properties = self.properties.iter().map(|(name, on)| match on {
            true => format!("with {name}"),
            false => format!("without {name}"),
        });
        let properties = properties.collect::<Vec<_>>().join(", ");
        let mut text = format!("\n{}, at offset {:#x}", plain(&self.section), self.offset);
        text += &if properties.is_empty() { "\n".to_owned() } else { format!(": {properties}\n") };
        for Place { field, offset, bytes } in &self.carries {
            // Writing to a string does not fail.
            let _ = writeln!(text, "  carries {field}, at offset {offset:#x} ({bytes} bytes)");
        }
        for Missing { field, bytes } in &self.lacks {
            let _ = writeln!(text, "  does not carry {field} ({bytes} bytes)");
        }
        text
    }
}
