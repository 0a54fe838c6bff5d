//! `southbridge state detect`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use vmstate::{Reading, Section};

use super::plain;
use super::source::Source;
use crate::cli::Result;
use crate::cli::output::Output;
use crate::library::Library;
use crate::machine::file::MachineTypes;
use crate::migrate::{self, Difference, Format, Missing, Place};

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
struct Fit {
    name: String,
    aliases: Vec<String>,
}

impl Detection {
    pub(super) fn of(source: &Source, types: &MachineTypes, library: &Library) -> Result<Self> {
        let stream = &source.stream;
        let devices = &stream.devices;
        let found: Vec<_> = migrate::formats(stream).collect();
        let mut formats = Vec::new();
        let mut fits = Vec::new();
        for machine in types.iter() {
            let saved = Format::all_of(machine, library)?;
            if migrate::fits(machine, &saved, stream, &found) {
                fits.push(Fit { name: machine.name.clone(), aliases: machine.aliases.clone() });
            }
            formats.extend(saved);
        }
        let evidence = found.iter().filter_map(|(section, found)| {
            let (reading, format) = found.as_ref()?;
            let offset = source.offset_of(section);
            let difference = format.compare(reading, offset, formats.iter());
            Evidence::new(section, offset, reading, difference)
        });
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
            evidence: evidence.collect(),
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

impl Evidence {
    /// None if the section is saved alike by all machine types.
    fn new(
        section: &Section,
        offset: u64,
        reading: &Reading,
        difference: Difference,
    ) -> Option<Self> {
        let Difference { carries, lacks } = difference;
        let properties = reading.switches.iter().map(|(name, on)| (name.to_string(), *on));
        let properties: BTreeMap<_, _> = properties.collect();
        let tells = !(properties.is_empty() && carries.is_empty() && lacks.is_empty());
        let (name, instance, version) = (section.name.clone(), section.instance, section.version);
        tells.then_some(Self {
            section: name,
            instance,
            version,
            offset,
            properties,
            carries,
            lacks,
        })
    }

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
