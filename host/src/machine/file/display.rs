//! Machine types as text for people.

use std::fmt;

use super::{DeviceEntry, Grant, MachineType, MachineTypes, names};

impl fmt::Display for MachineTypes {
    /// One line for each machine type: name, description, aliases.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.iter().map(|machine| machine.name.len()).max();
        for machine in self.iter() {
            let width = width.unwrap_or(0);
            write!(f, "{:width$}  {}", machine.name, machine.description)?;
            if !machine.aliases.is_empty() {
                write!(f, " (alias {})", machine.aliases.join(", "))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for MachineType {
    /// All of it. A property stands where it takes effect, whether the device
    /// or the machine's compatibility sets it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.name, self.description)?;
        if !self.aliases.is_empty() {
            writeln!(f, "aliases: {}", self.aliases.join(", "))?;
        }
        writeln!(
            f,
            "memory: {:#x} bytes of RAM or more are split at {:#x}",
            self.memory.max_ram_below_4g, self.memory.split_at
        )?;
        for write in &self.without_firmware {
            writeln!(f, "without firmware: {write}")?;
        }
        for device in &self.devices {
            show(self, device, if device.default { "default " } else { "" }, f)?;
        }
        for device in &self.optional {
            show(self, device, "optional ", f)?;
        }
        Ok(())
    }
}

fn show(
    machine: &MachineType,
    device: &DeviceEntry,
    prefix: &str,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    write!(f, "{prefix}{}: {}", device.id, device.component.value)?;
    if let Some(place) = &device.at {
        write!(f, " at {}", place.value)?;
    }
    writeln!(f)?;
    for (name, setting) in machine.settings(device) {
        writeln!(f, "    {name} = {}", setting.value)?;
    }
    let mut wires: Vec<_> = device.wires.iter().collect();
    wires.sort_by(|(a, _), (b, _)| names::natural(a, b));
    for (line, wire) in wires {
        writeln!(f, "    {line} -> {}", wire.value)?;
    }
    let mut listens: Vec<_> = device.listens.iter().collect();
    listens.sort_by(|(a, _), (b, _)| names::natural(a, b));
    for (line, interrupts) in listens {
        let names: Vec<_> =
            interrupts.iter().map(|interrupt| interrupt.value.to_string()).collect();
        writeln!(f, "    {line} <- {}", names.join(", "))?;
    }
    for (drive, name) in &device.drives {
        writeln!(f, "    {drive} -> drive {}", name.value)?;
    }
    for (block, name) in &device.roms {
        writeln!(f, "    {block} -> ROM {}", name.value)?;
    }
    if let Some(directory) = &device.directory {
        writeln!(f, "    files -> {}", directory.value)?;
    }
    for (stream, name) in &device.streams {
        writeln!(f, "    {stream} -> stream {}", name.value)?;
    }
    for (number, choice) in device.choices.iter().enumerate() {
        let properties = choice.properties.iter();
        let properties = properties.map(|(name, setting)| format!("{name} = {}", setting.value));
        let wires = choice.wires.iter().map(|(line, wire)| format!("{line} -> {}", wire.value));
        let streams = choice.streams.iter();
        let streams = streams.map(|(stream, name)| format!("{stream} -> stream {}", name.value));
        let all: Vec<_> = properties.chain(wires).chain(streams).collect();
        writeln!(f, "    choice {number}: {}", all.join(", "))?;
    }
    if let Some(hash) = &device.sha256 {
        writeln!(f, "    sha256 {}", hash.value)?;
    }
    if !device.grants.is_empty() {
        let grants: Vec<_> = device.grants.iter().map(Grant::to_string).collect();
        writeln!(f, "    may use {}", grants.join(", "))?;
    }
    for (limit, value) in &device.limits {
        writeln!(f, "    limit {} = {value}", limit.name())?;
    }
    Ok(())
}
