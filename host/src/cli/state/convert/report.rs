//! What a conversion did, for people and programs.

use std::path::Path;

use anyhow::anyhow;
use serde_json::{Value as Json, json};
use vmstate::Value;

use super::super::fields::text;
use super::super::plain;
use super::super::source::Source;
use crate::cli::Result;
use crate::cli::output::Output;
use crate::cli::table::Table;
use crate::machine::file::MachineType;
use crate::migrate::{Change, Converted, Loss};

/// What a conversion did.
pub(super) struct Report<'a> {
    pub(super) source: &'a Source,
    pub(super) output: &'a Path,
    pub(super) from: &'a MachineType,
    pub(super) to: &'a MachineType,
    pub(super) converted: Converted,
    /// The bytes of guest memory before the devices in what was written; none if
    /// nothing was.
    pub(super) live: Option<u64>,
}

impl Report<'_> {
    /// Says that nothing was written, if so.
    pub(super) fn result(&self) -> Result<()> {
        if self.live.is_some() {
            return Ok(());
        }
        let (file, count) = (&self.source.file, self.converted.losses.len());
        let s = if count == 1 { "" } else { "s" };
        Err(anyhow!(
            "{file}: not converted: a guest could notice that {count} value{s} would be lost, \
             which are listed; pass --force to convert all the same"
        ))
    }

    /// The offset in the file of what is in the new stream.
    fn new_offset(&self, offset: u64) -> Option<u64> {
        self.live.map(|live| self.source.offset + live + offset)
    }

    pub(super) fn json(&self) -> Json {
        let Converted { changes, losses, kept, .. } = &self.converted;
        let change = |change: &Change| {
            let Change { section, instance, field, old, new } = change;
            let mut object = json!({"section": section, "instance": instance, "field": field});
            if let Some(old) = old {
                object["offset"] = (self.source.offset + old.offset).into();
                object["value"] = old.value.to_json();
            }
            match (old, new) {
                (None, Some(new)) => {
                    object["offset"] = self.new_offset(new.offset).into();
                    object["value"] = new.value.to_json();
                }
                (Some(_), Some(new)) => object["becomes"] = new.value.to_json(),
                _ => {}
            }
            object
        };
        let list = |kind: Kind| changes.iter().filter(move |c| Kind::of(c) == kind).map(change);
        let losses = losses.iter().map(|Loss { slot, field, old, new }| {
            json!({"device": &**slot, "field": field, "was": hex(old), "becomes": hex(new)})
        });
        let kept =
            kept.iter().map(|(name, instance)| json!({"section": name, "instance": instance}));
        json!({
            "file": self.source.file,
            "output": self.output.display().to_string(),
            "from": self.from.name,
            "to": self.to.name,
            "written": self.live.is_some(),
            "dropped": list(Kind::Dropped).collect::<Vec<_>>(),
            "invented": list(Kind::Invented).collect::<Vec<_>>(),
            "changed": list(Kind::Changed).collect::<Vec<_>>(),
            "noticeable": losses.collect::<Vec<_>>(),
            "kept": kept.collect::<Vec<_>>(),
        })
    }

    pub(super) fn text(&self, output: &Output) -> String {
        let Converted { changes, losses, kept, .. } = &self.converted;
        let (file, from, to) = (output.heading(&self.source.file), &self.from.name, &self.to.name);
        let mut text = match self.live {
            Some(_) => format!("{file}: {from} to {to}, written to {}\n", self.output.display()),
            None => format!("{file}: {from} to {to}, nothing written\n"),
        };
        for (kind, title) in [
            (Kind::Dropped, "dropped, as the target does not save it"),
            (Kind::Invented, "invented, as the source does not save it"),
            (Kind::Changed, "changed"),
        ] {
            let mut changes = changes.iter().filter(|change| Kind::of(change) == kind).peekable();
            if changes.peek().is_some() {
                text += &format!("\n{title}:\n{}", self.table(changes).text(2, output));
            }
        }
        if !losses.is_empty() {
            let mut table = Table::new(["DEVICE", "FIELD", "WAS", "BECOMES"]);
            for Loss { slot, field, old, new } in losses {
                table.row([plain(slot), plain(field), hex(old), hex(new)]);
            }
            text += &format!("\na guest could notice:\n{}", table.text(2, output));
        }
        if !kept.is_empty() {
            let names: Vec<_> = kept.iter().map(|(name, _)| plain(name)).collect();
            text += &format!("\nof devices not looked into, as they were: {}\n", names.join(", "));
        }
        text
    }

    fn table<'c>(&self, changes: impl Iterator<Item = &'c Change>) -> Table<4> {
        let mut table = Table::new([">OFFSET", "SECTION", "FIELD", "VALUE"]);
        for Change { section, instance, field, old, new } in changes {
            let old_offset = old.as_ref().map(|old| self.source.offset + old.offset);
            let new_offset = new.as_ref().and_then(|new| self.new_offset(new.offset));
            let offset = old_offset.or(new_offset).map(|offset| format!("{offset:#x}"));
            let section = match instance {
                0 => plain(section),
                instance => format!("{} {instance}", plain(section)),
            };
            let values: Vec<_> = old.iter().chain(new).map(|found| short(&found.value)).collect();
            let value = values.join(", becomes ");
            table.row([offset.unwrap_or_default(), section, plain(field), value]);
        }
        table
    }
}

/// What happened to a value.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Dropped,
    Invented,
    Changed,
}

impl Kind {
    fn of(change: &Change) -> Self {
        match (&change.old, &change.new) {
            (_, None) => Self::Dropped,
            (None, _) => Self::Invented,
            _ => Self::Changed,
        }
    }
}

/// A value on a line, the long ones cut.
fn short(value: &Value) -> String {
    const MOST: usize = 60;
    let text = text(value);
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
