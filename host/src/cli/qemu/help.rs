//! What is printed when help is asked for.

use super::device::is_called;
use super::error::Error;
use super::given::{Collected, Given};
use super::table::{self, Entry};
use super::{backend, machine, smp};
use crate::cli::components::Components;
use crate::component::{Attachment, PropertyValue};
use crate::library;
use crate::machine::file::{
    DeviceEntry, MachineType, MachineTypes, Origin, Setting, Value, natural,
};

/// Columns of a line.
const WIDTH: usize = 80;
/// Where the text about an option begins.
const INDENT: usize = 16;

/// What help is asked for.
pub(super) enum Help {
    Options,
    Version,
    Machines,
    /// The properties of a machine type.
    Machine(String),
    Accelerators,
    Cpus,
    Chardevs,
    LogItems,
    Devices,
    /// The properties of a driver, and where that was asked for.
    Device(String, String),
}

pub(super) fn options(all: &mut Collected, _: &Given<'_>) -> Result<(), Error> {
    all.help = Some(Help::Options);
    Ok(())
}

pub(super) fn version(all: &mut Collected, _: &Given<'_>) -> Result<(), Error> {
    all.help = Some(Help::Version);
    Ok(())
}

impl Help {
    /// Whether QEMU prints it before it looks at what follows.
    pub(super) const fn is_immediate(&self) -> bool {
        matches!(self, Self::Options | Self::Version)
    }

    /// The help, which ends with the end of a line.
    pub(super) fn text(
        &self,
        program: &str,
        types: &MachineTypes,
        all: &Collected,
    ) -> Result<String, Error> {
        match self {
            Self::Options => Ok(all_options(program)),
            Self::Version => Ok(format!(
                "Southbridge {}, with the command line of QEMU 7.2\n",
                env!("CARGO_PKG_VERSION")
            )),
            Self::Machines => Ok(machines(types)),
            Self::Machine(name) => {
                let machine = machine::find(types, Some(name))?;
                let lines = machine::properties().map(|(name, text)| property(name, None, text));
                let lines: String = lines.collect();
                Ok(format!("{}-machine options:\n{lines}", machine.name))
            }
            Self::Accelerators => {
                Ok("Accelerators supported in this program:\nkvm\nqtest\n".into())
            }
            Self::Cpus => Ok(list("Available CPUs:\n", "x86 ", smp::MODELS)),
            Self::Chardevs => Ok(list("Available chardev backend types:\n", "  ", backend::NAMES)),
            Self::LogItems => Ok("Log items (comma separated):\n\
                 guest_errors    what a guest does wrong\n\
                 unimp           what a guest asks of devices and they do not have\n"
                .into()),
            Self::Devices => {
                let machine = machine::find(types, all.machine.get("type"))?;
                Ok(devices(machine))
            }
            Self::Device(place, driver) if library::is_file(driver) => {
                let entry = DeviceEntry::new("", driver, Origin::outside(place, ""));
                device(driver, &entry, all)
            }
            Self::Device(place, driver) => {
                let machine = machine::find(types, all.machine.get("type"))?;
                let mut entries = machine.optional.iter().chain(&machine.devices);
                let entry = entries.find(|e| is_called(e, driver) || e.qemu.is(driver));
                let missing = || Error::at(place, format!("Device '{driver}' not found"));
                device(driver, entry.ok_or_else(missing)?, all)
            }
        }
    }
}

fn list(heading: &str, indent: &str, names: &[&str]) -> String {
    let lines: String = names.iter().map(|name| format!("{indent}{name}\n")).collect();
    format!("{heading}{lines}")
}

fn all_options(program: &str) -> String {
    let mut text = format!("usage: {program} [options] [disk_image]\n");
    for group in table::GROUPS {
        text += &format!("\n{}:\n", group.title);
        for entry in group.options {
            text += &option(entry);
        }
    }
    text
}

/// An option, its argument, and what it does: on one line if there is room.
fn option(entry: &Entry) -> String {
    let names: Vec<_> = entry.names.iter().map(|name| format!("-{name}")).collect();
    let argument = entry.argument.map(|argument| format!(" {argument}")).unwrap_or_default();
    let head = names.join(" or ") + &argument;
    let mut text = match entry.treatment {
        table::Treatment::Understood(_) => entry.help.to_owned(),
        table::Treatment::Accepted(_, why) => format!("{}. Changes nothing: {why}", entry.help),
        table::Treatment::Refused(why) => format!("{}. Refused: {why}", entry.help),
    };
    text = wrap(&text, WIDTH - INDENT).join(&format!("\n{:INDENT$}", ""));
    if head.len() < INDENT {
        format!("{head:INDENT$}{text}\n")
    } else {
        format!("{head}\n{:INDENT$}{text}\n", "")
    }
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        if lines[last].is_empty() {
            lines[last] = word.to_owned();
        } else if lines[last].len() + 1 + word.len() <= width {
            lines[last] += " ";
            lines[last] += word;
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// The machine types, families in order and the newest version of each first.
fn machines(types: &MachineTypes) -> String {
    let family = |machine: &MachineType| {
        let version = |c: char| c.is_ascii_digit() || c == '.' || c == '-';
        machine.name.trim_end_matches(version).to_owned()
    };
    let mut machines: Vec<&MachineType> = types.iter().collect();
    machines.sort_by(|a, b| family(a).cmp(&family(b)).then_with(|| natural(&b.name, &a.name)));
    let default = machine::default(types).map(|machine| machine.name.as_str());
    let mut text = "Supported machines are:\n".to_owned();
    for MachineType { name, aliases, description, .. } in machines {
        for alias in aliases {
            text += &format!("{alias:20} {description} (alias of {name})\n");
        }
        let mark = if default == Some(name) { " (default)" } else { "" };
        text += &format!("{name:20} {description}{mark}\n");
    }
    text
}

fn devices(machine: &MachineType) -> String {
    let line = |entry: &DeviceEntry| {
        let name = entry.qemu.drivers.first().unwrap_or(&entry.id);
        let bus = match &entry.at {
            Some(place) => format!(", bus {:?}", place.value.bus.to_uppercase()),
            None => String::new(),
        };
        format!("name {name:?}{bus}\n")
    };
    let mut lines: Vec<String> = machine.optional.iter().map(line).collect();
    lines.sort();
    lines.dedup();
    format!("Devices of machine {}:\n{}", machine.name, lines.concat())
}

/// A property in QEMU's form.
fn property(name: &str, kind: Option<&str>, text: &str) -> String {
    let kind = kind.map(|kind| format!("=<{kind}>")).unwrap_or_default();
    format!("{:24} - {text}\n", format!("  {name}{kind}"))
}

/// The properties of a device: of its component, and what the option itself adds.
fn device(driver: &str, entry: &DeviceEntry, all: &Collected) -> Result<String, Error> {
    let components = Components::new(all.own.code_cache.clone());
    let library = components.library().map_err(|error| Error::new(error.to_string()))?;
    let image = library.get(&entry.component.value);
    let image = image.map_err(|error| Error::new(error.to_string()))?;
    let description = image.description();
    let mut lines = Vec::new();
    if description.attachment == Attachment::Pci {
        let text = "Slot and optional function number, example: 06.0 or 06 (default: -1)";
        lines.push(property("addr", Some("int32"), text));
    }
    if !description.streams.is_empty() {
        lines.push(property("chardev", Some("str"), "ID of a chardev to use as a backend"));
    }
    for declared in &description.properties {
        let own = entry.qemu.properties.get(&declared.name);
        let set = own.or_else(|| entry.properties.get(&declared.name));
        let (kind, default) = match (&declared.default, set.map(|setting| &setting.value)) {
            // What the machine at hand has, nobody knows yet.
            (default, Some(Setting::Machine(_) | Setting::Any(..))) => {
                (kind(default), "the machine's".into())
            }
            (default, Some(Setting::Fixed(value))) => (kind(default), shown(value)),
            (default, None) => (kind(default), shown(&plain(default))),
        };
        let text = format!("{} (default: {default})", declared.summary);
        lines.push(property(&declared.name, Some(kind), &text));
    }
    lines.sort();
    Ok(format!("{driver} options:\n{}", lines.concat()))
}

const fn kind(value: &PropertyValue) -> &'static str {
    match value {
        PropertyValue::Flag(_) => "bool",
        PropertyValue::Number(_) => "uint64",
        PropertyValue::Text(_) => "str",
    }
}

fn plain(value: &PropertyValue) -> Value {
    match value {
        PropertyValue::Flag(flag) => Value::Flag(*flag),
        PropertyValue::Number(number) => Value::Number(*number),
        PropertyValue::Text(text) => Value::Text(text.clone()),
    }
}

/// A default as QEMU shows it: numbers are decimal.
fn shown(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        other => other.to_string(),
    }
}
