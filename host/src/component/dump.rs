//! A description of saved state in the shape of QEMU's `-dump-vmstate`.

use serde_json::{Map, Value, json};

use super::{Field, PropertyValue, StateDescription, Structure};

/// Structures that nest deeper refer to themselves; they are cut there.
const DEEPEST: usize = 16;

impl StateDescription {
    /// The description as JSON: an object per section, by its name, with
    /// `Name`, versions and `Description`; in a description `Fields` with the
    /// version from which a field exists, whether it has a condition, its size,
    /// and what it is if it is a structure; and `Subsections`.
    ///
    /// Beyond QEMU's keys, a field has its type, its number of elements and the
    /// condition in words, and a section its condition. QEMU names a section
    /// after the device's QOM type, which nobody here knows. The size of a
    /// structure is that of its fields on the wire, not that of QEMU's C type.
    #[must_use]
    pub fn dump(&self) -> Map<String, Value> {
        let sections = self.sections.iter().map(|section| {
            let structure = self.structures.get(section.structure as usize);
            let version = |of: fn(&Structure) -> u32| structure.map_or(0, of);
            let dumped = json!({
                "Name": section.name,
                "version_id": version(|structure| structure.version),
                "minimum_version_id": version(|structure| structure.minimum_version),
                "condition": section.condition,
                "Description": self.structure(section.structure, 0),
            });
            (section.name.clone(), dumped)
        });
        sections.collect()
    }

    fn structure(&self, row: u32, depth: usize) -> Value {
        let structure = self.structures.get(row as usize).filter(|_| depth < DEEPEST);
        let Some(Structure { name, version, minimum_version, fields, subsections }) = structure
        else {
            return Value::Null;
        };
        let mut dumped = Map::from_iter([
            ("name".into(), json!(name)),
            ("version_id".into(), json!(version)),
            ("minimum_version_id".into(), json!(minimum_version)),
        ]);
        let fields: Vec<_> = fields.iter().map(|field| self.field(field, depth)).collect();
        dumped.insert("Fields".into(), Value::Array(fields));
        if !subsections.is_empty() {
            let subsections = subsections.iter().map(|&row| self.structure(row, depth + 1));
            dumped.insert("Subsections".into(), subsections.collect());
        }
        Value::Object(dumped)
    }

    fn field(&self, field: &Field, depth: usize) -> Value {
        let Field { name, type_name, version, size, count, condition, structure } = field;
        let mut dumped = json!({
            "field": name,
            "version_id": version,
            "field_exists": condition.is_some(),
            "size": size,
            "type": type_name,
            "count": count,
            "condition": condition,
        });
        if let Some(row) = structure {
            dumped["Description"] = self.structure(*row, depth + 1);
        }
        dumped
    }
}

impl From<PropertyValue> for Value {
    fn from(value: PropertyValue) -> Self {
        match value {
            PropertyValue::Flag(flag) => flag.into(),
            PropertyValue::Number(number) => number.into(),
            PropertyValue::Text(text) => text.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::SectionDescription;

    fn structure(name: &str, fields: Vec<Field>) -> Structure {
        let name = name.into();
        Structure { name, version: 3, minimum_version: 2, fields, subsections: Vec::new() }
    }

    fn field(name: &str, structure: Option<u32>) -> Field {
        let (name, type_name) = (name.into(), "uint16".into());
        Field { name, type_name, version: 1, size: 2, count: 4, condition: None, structure }
    }

    fn describing(structures: Vec<Structure>) -> StateDescription {
        let section = SectionDescription {
            name: "outer".into(),
            has_path: false,
            condition: None,
            structure: 0,
        };
        StateDescription { sections: vec![section], structures }
    }

    #[test]
    fn structures_nest_as_in_qemu() {
        let inner = structure("inner", vec![field("sts", None)]);
        let outer = structure("outer", vec![field("part", Some(1))]);
        let dump = describing(vec![outer, inner]).dump();
        let section = &dump["outer"];
        assert_eq!(section["minimum_version_id"], 2);
        let part = &section["Description"]["Fields"][0];
        assert_eq!((&part["field"], &part["size"]), (&json!("part"), &json!(2)));
        assert_eq!(part["Description"]["name"], "inner");
        assert_eq!(part["Description"]["Fields"][0]["field"], "sts");
    }

    #[test]
    fn a_structure_that_holds_itself_is_cut() {
        let outer = structure("outer", vec![field("self", Some(0))]);
        let dump = Value::Object(describing(vec![outer]).dump()).to_string();
        assert!(dump.len() < 10_000);
    }
}
