//! Decoded fields with their offsets in the file.

use serde_json::{Value as Json, json};
use vmstate::{Field, Structure, Subsection, Value};

use super::plain;
use crate::cli::table::Table;

/// Elements of an array, or bytes, on a line.
const PER_LINE: usize = 16;

type Fields = Table<4>;

/// Adds a structure's fields and subsections to a JSON object. `base` is where
/// the section's payload begins in the file.
pub(super) fn add(object: &mut Json, structure: &Structure, base: u64) {
    let fields = structure.fields.iter().map(|field| {
        let mut object = json!({
            "name": &*field.name,
            "offset": base + field.offset as u64,
            "bytes": field.size,
        });
        match &field.value {
            Value::Structure(inner) => add(&mut object, inner, base),
            Value::List(list) => {
                object["value"] = list.iter().map(|value| element(value, base)).collect()
            }
            value => object["value"] = value.to_json(),
        }
        object
    });
    object["fields"] = fields.collect();
    if !structure.subsections.is_empty() {
        let subsections = structure.subsections.iter().map(|subsection| {
            let Subsection { name, version, offset, content } = subsection;
            let offset = base + *offset as u64;
            let mut object = json!({"name": &**name, "version": version, "offset": offset});
            add(&mut object, content, base);
            object
        });
        object["subsections"] = subsections.collect();
    }
}

fn element(value: &Value, base: u64) -> Json {
    let Value::Structure(structure) = value else { return value.to_json() };
    let mut object = json!({});
    add(&mut object, structure, base);
    object
}

/// A structure's fields and subsections, one per row.
pub(super) fn table(structure: &Structure, base: u64) -> Fields {
    let mut table = Table::new(["FIELD", ">OFFSET", ">BYTES", "VALUE"]);
    rows(&mut table, structure, base, 0);
    table
}

fn rows(table: &mut Fields, structure: &Structure, base: u64, depth: usize) {
    let indent = "  ".repeat(depth);
    for field in &structure.fields {
        let name = format!("{indent}{}", plain(&field.name));
        let at = base + field.offset as u64;
        let mut row = |value: String| {
            table.row([name.clone(), hex(at), field.size.to_string(), value]);
        };
        match &field.value {
            Value::Structure(inner) => {
                row(String::new());
                rows(table, inner, base, depth + 1);
            }
            Value::List(list) if list.iter().any(|value| matches!(value, Value::Structure(_))) => {
                row(format!("{} elements", list.len()));
                for (index, value) in list.iter().enumerate() {
                    if let Value::Structure(inner) = value {
                        table.row([
                            format!("{indent}[{index}]"),
                            String::new(),
                            String::new(),
                            String::new(),
                        ]);
                        rows(table, inner, base, depth + 1);
                    }
                }
            }
            Value::List(list) => lines(table, &name, at, field, list.iter().map(text).collect()),
            Value::Bytes(bytes) => {
                let bytes = bytes.iter().map(|byte| format!("{byte:02x}"));
                lines(table, &name, at, field, bytes.collect());
            }
            value => row(text(value)),
        }
    }
    for Subsection { name, version, offset, content } in &structure.subsections {
        let at = hex(base + *offset as u64);
        let name = format!("{indent}{}", plain(name));
        table.row([name, at, String::new(), format!("subsection, version {version}")]);
        rows(table, content, base, depth + 1);
    }
}

/// The elements of a field, in lines that each say their offset.
fn lines(table: &mut Fields, name: &str, at: u64, field: &Field, elements: Vec<String>) {
    let each = field.size.checked_div(elements.len()).unwrap_or(0);
    let mut first = Some((name.to_owned(), field.size.to_string()));
    for (index, line) in elements.chunks(PER_LINE).enumerate() {
        let (name, size) = first.take().unwrap_or_default();
        table.row([name, hex(at + (index * PER_LINE * each) as u64), size, line.join(" ")]);
    }
    if let Some((name, size)) = first {
        table.row([name, hex(at), size, "none".to_owned()]);
    }
}

/// A value on one line.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Unsigned(number @ 10..) => hex(*number),
        value => value.to_json().to_string(),
    }
}

fn hex(number: u64) -> String {
    format!("{number:#x}")
}
