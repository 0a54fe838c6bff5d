//! A stream's description of itself, as a stream ends with one.
//!
//! QEMU describes what it writes while it writes it. Here the fields are found in
//! what was written: sections are read, and told by the layout that reads them.

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};

use crate::error::{Error, Problem};
use crate::layout::json::{devices, parse};
use crate::layout::{Count, Kind, Layout, Layouts, Member, NoLayout};
use crate::ram::PAGE_SIZE;
use crate::stream::Section;
use crate::tree::{Field, Structure, Value};

/// Describes sections in JSON, as the description at the end of a stream does:
/// [`Layouts::from_description`] reads them with it. `machine` is the one the
/// configuration section names, if there is one.
///
/// An `existing` description is kept to for the sections it fits, in its own
/// words: it may be of a device that nobody else knows. If it says all of this
/// already, it is returned as it is. The other sections need a layout built in.
///
/// # Errors
/// [`Error`] if the existing description is not one, or if a section can be
/// described from nothing; its offset is the section's.
pub fn describe(
    machine: Option<&str>,
    sections: &[Section],
    existing: Option<&str>,
) -> Result<String, Error> {
    let known = Known::new(existing).map_err(|NoLayout(reason)| {
        let problem = Problem::Description(reason);
        problem.at(0)
    })?;
    let configuration = machine.map(configuration);
    let places: Vec<_> = sections.iter().map(|section| known.place(section)).collect();
    if let Some(existing) = existing.filter(|_| known.says(configuration.as_ref(), &places)) {
        return Ok(existing.to_owned());
    }
    let devices = sections.iter().zip(places).map(|(section, place)| match place {
        Some(place) => Ok(known.devices()[place].clone()),
        None => device(section),
    });
    let devices = devices.collect::<Result<Vec<_>, _>>()?;
    let mut description = json!({"page_size": PAGE_SIZE, "devices": devices});
    if let Some(configuration) = configuration {
        // QEMU 7.2 does not describe it, 10.0 does.
        description["configuration"] = configuration;
    }
    Ok(description.to_string())
}

/// What an existing description says.
#[derive(Default)]
struct Known {
    json: Json,
    /// Where a device is in its list.
    entries: HashMap<(String, u64), usize>,
    layouts: Layouts,
}

impl Known {
    fn new(existing: Option<&str>) -> Result<Self, NoLayout> {
        let Some(text) = existing else { return Ok(Self::default()) };
        let json = parse(text)?;
        let layouts = devices(&json)?;
        let entries = json["devices"].as_array().into_iter().flatten().enumerate();
        let entries = entries.filter_map(|(index, entry)| {
            let name = entry["name"].as_str()?.to_owned();
            Some(((name, entry["instance_id"].as_u64()?), index))
        });
        Ok(Self { entries: entries.collect(), layouts, json })
    }

    fn devices(&self) -> &[Json] {
        self.json["devices"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Where a section is described, if that is how it is.
    fn place(&self, section: &Section) -> Option<usize> {
        let key = (section.name.clone(), section.instance.into());
        let place = *self.entries.get(&key)?;
        self.layouts.decode(section).ok().map(|_| place)
    }

    /// Whether it says this, and of sections in these places and no others.
    fn says(&self, configuration: Option<&Json>, places: &[Option<usize>]) -> bool {
        let own = &self.json["configuration"];
        let all = (0..self.devices().len()).map(Some);
        (own.is_null() || Some(own) == configuration) && all.eq(places.iter().copied())
    }
}

fn configuration(machine: &str) -> Json {
    json!({
        "vmsd_name": "configuration",
        "version": 1,
        "fields": [
            {"name": "len", "type": "uint32", "size": 4},
            {"name": "name", "type": "buffer", "size": machine.len()},
        ],
    })
}

fn device(section: &Section) -> Result<Json, Error> {
    let layouts = Layouts::builtin();
    let layout = layouts
        .find(&section.name, section.instance, section.version)
        .map_err(|problem| problem.at(section.offset))?;
    let mut object = Map::new();
    object.insert("name".to_owned(), section.name.as_str().into());
    object.insert("instance_id".to_owned(), section.instance.into());
    structure(layout, &layouts.decode(section)?.structure, &mut object);
    Ok(object.into())
}

/// Says of a structure what it is and what is in it.
fn structure(layout: &Layout, found: &Structure, object: &mut Map<String, Json>) {
    let mut fields = Vec::new();
    // What is there is in the layout's order.
    let mut members = layout.members.iter();
    for field in &found.fields {
        if let Some(member) = members.by_ref().find(|member| is_of(member, field)) {
            describe_field(member, field, &mut fields);
        }
    }
    let subsections = found.subsections.iter().filter_map(|subsection| {
        let layout = layout.subsections.iter().find(|known| known.name == subsection.name)?;
        let mut object = Map::new();
        structure(layout, &subsection.content, &mut object);
        Some(object.into())
    });
    let subsections: Vec<Json> = subsections.collect();
    object.insert("vmsd_name".to_owned(), layout.name.as_ref().into());
    object.insert("version".to_owned(), layout.version.into());
    object.insert("fields".to_owned(), fields.into());
    if !subsections.is_empty() {
        object.insert("subsections".to_owned(), subsections.into());
    }
}

/// Whether a field is this member. One that has another size on another machine is there
/// once for each.
fn is_of(member: &Member, field: &Field) -> bool {
    let length = match &field.value {
        Value::List(list) => list.len(),
        _ => 1,
    };
    let is_as_long = match member.count {
        Count::Fixed(count) => count == length as u64,
        _ => true,
    };
    let is_as_large = match member.kind {
        Kind::Unsigned { size, .. } | Kind::Signed { size, .. } => size * length == field.size,
        _ => true,
    };
    member.name == field.name && is_as_long && is_as_large
}

/// Appends the entry of a field, or one for each of its elements if they differ.
fn describe_field(member: &Member, field: &Field, entries: &mut Vec<Json>) {
    let list = match &field.value {
        // Of a fixed length, which its type implies.
        Value::List(_) if &*member.type_name == "pci irq state" => None,
        Value::List(list) => Some(list),
        _ => None,
    };
    let Some(list) = list else {
        entries.push(entry(member, &field.value, field.size).into());
        return;
    };
    let each = field.size.checked_div(list.len()).unwrap_or(0);
    let alike = list.windows(2).all(|pair| pair[0].is_shaped_as(&pair[1]));
    let described = if alike { 1 } else { list.len() };
    for (index, value) in list.iter().take(described).enumerate() {
        let mut element = match value {
            Value::Structure(inner) => entry(member, value, inner.size()),
            value => entry(member, value, each),
        };
        match list.len() {
            1 => {}
            count if alike => drop(element.insert("array_len".to_owned(), count.into())),
            _ => drop(element.insert("index".to_owned(), index.into())),
        }
        entries.push(element.into());
    }
}

fn entry(member: &Member, value: &Value, size: usize) -> Map<String, Json> {
    let mut object = Map::new();
    if let (Kind::Structure(layout), Value::Structure(inner)) = (&member.kind, value) {
        // What is converted on the way has its fields where others have a structure.
        if &*member.type_name == "tmp" {
            structure(layout, inner, &mut object);
        } else {
            let mut nested = Map::new();
            structure(layout, inner, &mut nested);
            object.insert("struct".to_owned(), nested.into());
        }
    }
    object.insert("name".to_owned(), member.name.as_ref().into());
    object.insert("type".to_owned(), member.type_name.as_ref().into());
    object.insert("size".to_owned(), size.into());
    object
}
