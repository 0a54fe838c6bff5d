//! An inspection for people.

use super::state::Structure;
use super::{Inspection, Sizes};
use crate::cli::output::Output;
use crate::cli::table::Table;

/// Columns of a terminal.
const WIDTH: usize = 80;

impl Inspection {
    /// The inspection as text.
    pub(in crate::cli) fn text(&self, output: &Output) -> String {
        let title = match self.build.as_str() {
            "" => format!("{} {}", self.name, self.version),
            build => format!("{} {}+{build}", self.name, self.version),
        };
        let mut text = format!("{}: {}\n\n", output.heading(&title), self.summary);
        let imports = self.imports.iter().map(|import| match import.needs_grant {
            true => format!("{} (needs a grant)", import.interface),
            false => import.interface.to_owned(),
        });
        text += &entry("sits on", [self.bus()]);
        text += &entry("bytes", [self.bytes.to_string()]);
        text += &entry("SHA-256", [self.sha256.clone()]);
        text += &entry("imports", imports);
        text += &entry("exports", self.exports.iter().cloned());
        for direction in ["input", "output"] {
            let lines = self.lines.iter().filter(|line| line.direction == direction);
            text += &entry(&format!("{direction}s"), lines.map(|line| line.name.clone()));
        }
        text += &entry("timers", self.timers.iter().cloned());
        let buses = self.buses.iter().map(|bus| format!("{} ({})", bus.name, bus.kind));
        text += &entry("buses", buses);
        text += &entry("streams", self.streams.iter().cloned());
        text += &entry("drives", self.drives.iter().cloned());
        let memories = self.memories.iter().map(|memory| {
            let kind = if memory.read_only { "ROM" } else { "RAM" };
            format!("{} ({} bytes of {kind})", memory.name, memory.bytes)
        });
        text += &entry("memories", memories);
        text += &self.properties(output);
        text += &self.regions(output);
        text += &self.windows(output);
        text + &self.state(output)
    }

    fn bus(&self) -> String {
        match self.attachment {
            "system" => "no bus".into(),
            "pci" => "a PCI bus".into(),
            "i2c" => "an I2C bus".into(),
            _ => "a channel of an ISA bus's DMA controller".into(),
        }
    }

    fn properties(&self, output: &Output) -> String {
        let mut table = Table::new(["PROPERTY", "DEFAULT", "WHAT"]);
        for property in &self.properties {
            let default = match property.default.as_u64() {
                Some(number) if number > 9 => format!("{number:#x}"),
                _ => property.default.to_string(),
            };
            table.row([property.name.clone(), default, property.summary.clone()]);
        }
        part(self.properties.is_empty(), &table, output)
    }

    fn regions(&self, output: &Output) -> String {
        let mut table = Table::new(["REGION", "SPACE", ">BYTES", "ACCESSES", "IMPLEMENTED"]);
        for region in &self.regions {
            table.row([
                region.name.clone(),
                region.space.into(),
                format!("{:#x}", region.bytes),
                region.valid.text(),
                region.implemented.text(),
            ]);
        }
        part(self.regions.is_empty(), &table, output)
    }

    fn windows(&self, output: &Output) -> String {
        let mut table = Table::new(["RAM WINDOW", ">BASE", ">BYTES"]);
        for window in &self.windows {
            let (base, bytes) = (window.base, window.bytes);
            table.row([window.name.clone(), format!("{base:#x}"), format!("{bytes:#x}")]);
        }
        part(self.windows.is_empty(), &table, output)
    }

    fn state(&self, output: &Output) -> String {
        if let Some(reason) = &self.state_unknown {
            return format!("\nsaved state: unknown with the default properties: {reason}\n");
        }
        let mut table = Table::new(["SAVED STATE", "TYPE", ">BYTES", ">COUNT", ">SINCE", "WHEN"]);
        for section in &self.state {
            let when = section.condition.clone().unwrap_or_default();
            structure(&mut table, &section.structure, &section.name, &when, 0);
        }
        part(self.state.is_empty(), &table, output)
    }
}

impl Sizes {
    fn text(&self) -> String {
        let unaligned = if self.unaligned { ", unaligned" } else { "" };
        format!("{} to {}{unaligned}", self.min, self.max)
    }
}

type Tree = Table<6>;

fn structure(table: &mut Tree, shown: &Structure, name: &str, when: &str, depth: usize) {
    let indent = "  ".repeat(depth);
    let versions = format!("version {} (from {})", shown.version, shown.minimum_version);
    let none = String::new;
    table.row([format!("{indent}{name}"), versions, none(), none(), none(), when.into()]);
    let indent = "  ".repeat(depth + 1);
    for field in &shown.fields {
        table.row([
            format!("{indent}{}", field.name),
            field.type_name.clone(),
            field.bytes.to_string(),
            field.count.to_string(),
            field.since_version.to_string(),
            field.condition.clone().unwrap_or_default(),
        ]);
        if let Some(inner) = &field.structure {
            structure(table, inner, &inner.name, "", depth + 2);
        }
    }
    for subsection in &shown.subsections {
        structure(table, subsection, &subsection.name, "subsection", depth + 1);
    }
}

fn part<const N: usize>(is_empty: bool, table: &Table<N>, output: &Output) -> String {
    if is_empty { String::new() } else { format!("\n{}", table.text(0, output)) }
}

/// A name and a list, wrapped; nothing if the list is empty.
fn entry(name: &str, items: impl IntoIterator<Item = String>) -> String {
    let items: Vec<String> = items.into_iter().collect();
    if items.is_empty() {
        return String::new();
    }
    let mut text = String::new();
    let mut line = format!("{name:<9}");
    for (index, item) in items.iter().enumerate() {
        let comma = if index + 1 < items.len() { "," } else { "" };
        if line.len() > 9 && line.len() + item.len() + 2 > WIDTH {
            text += line.trim_end();
            text += "\n";
            line = " ".repeat(9);
        }
        line += &format!("{item}{comma} ");
    }
    text + line.trim_end() + "\n"
}
