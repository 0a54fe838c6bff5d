//! What two decoded states of the same devices have, and what only one has.

use vmstate::{Layouts, Section, Structure, Value};

/// A value that is in one state and not in the other, or differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The section's name, with the device's path.
    pub section: String,
    /// Which of several sections of that name.
    pub instance: u32,
    /// QEMU's name of the field, with the structures around it.
    pub field: String,
    /// The value before; none if it was invented.
    pub old: Option<Found>,
    /// The value after; none if it was dropped.
    pub new: Option<Found>,
}

/// A value and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Where it begins in its stream, in bytes.
    pub offset: u64,
    /// What it is; never a structure.
    pub value: Value,
}

/// Every value that only one of two lists of sections has, or both have
/// differently, in the order of the stream.
pub(super) fn compare(old: &[Section], new: &[Section]) -> Vec<Change> {
    let same = |a: &&Section, b: &&Section| a.name == b.name && a.instance == b.instance;
    let mut changes = Vec::new();
    for before in old {
        let after = new.iter().find(|after| same(after, &before));
        let is_same =
            |after: &Section| after.version == before.version && after.payload == before.payload;
        if !after.is_some_and(is_same) {
            values(Some(before), after, &mut changes);
        }
    }
    for after in new.iter().filter(|after| !old.iter().any(|before| same(&before, after))) {
        values(None, Some(after), &mut changes);
    }
    changes
}

fn values(old: Option<&Section>, new: Option<&Section>, changes: &mut Vec<Change>) {
    let Some(section) = old.or(new) else { return };
    let change = |field: String, old, new| Change {
        section: section.name.clone(),
        instance: section.instance,
        field,
        old,
        new,
    };
    let mut after = new.map(leaves).unwrap_or_default();
    for (field, old) in old.map(leaves).unwrap_or_default() {
        let place = after.iter().position(|(other, _)| *other == field);
        let new = place.map(|place| after.remove(place).1);
        if new.as_ref().is_none_or(|new| new.value != old.value) {
            changes.push(change(field, Some(old), new));
        }
    }
    changes.extend(after.into_iter().map(|(field, new)| change(field, None, Some(new))));
}

/// The values of a section that are no structures, with their names.
fn leaves(section: &Section) -> Vec<(String, Found)> {
    let mut out = Vec::new();
    match Layouts::builtin().decode(section) {
        Ok(reading) => structure(&reading.structure, section.offset, "", &mut out),
        // Of a device nobody knows: all of it is one value.
        Err(_) => {
            let value = Value::Bytes(section.payload.clone());
            out.push(("data".to_owned(), Found { offset: section.offset, value }));
        }
    }
    out
}

fn structure(found: &Structure, base: u64, path: &str, out: &mut Vec<(String, Found)>) {
    let join = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    for field in &found.fields {
        let offset = base + field.offset as u64;
        value(&field.value, base, offset, &join(&field.name), out);
    }
    for subsection in &found.subsections {
        structure(&subsection.content, base, &join(&subsection.name), out);
    }
}

fn value(found: &Value, base: u64, offset: u64, path: &str, out: &mut Vec<(String, Found)>) {
    match found {
        Value::Structure(inner) => structure(inner, base, path, out),
        Value::List(list) if list.iter().any(|value| matches!(value, Value::Structure(_))) => {
            for (index, element) in list.iter().enumerate() {
                value(element, base, offset, &format!("{path}[{index}]"), out);
            }
        }
        leaf => out.push((path.to_owned(), Found { offset, value: leaf.clone() })),
    }
}
