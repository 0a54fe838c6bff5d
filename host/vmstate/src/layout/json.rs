//! Layouts from JSON.
//!
//! Both sources have the shape QEMU describes a stream in: structures with
//! `vmsd_name`, `version`, `fields` and `subsections`; fields with `name`, `type`,
//! `size` of one element, and `array_len`, `index` and `struct` where they apply.
//! The layouts built in say a little more:
//!
//! * `when` lists properties of the machine the field depends on, `!` for not, `@` for
//!   the value of an earlier field, which must not be 0; `x86-64` is one of the QEMU
//!   that saved: its processors' registers have 64 bits, in `qemu-system-i386` 32;
//! * `array_len` may be the name of the field that counts the elements, or `*` if
//!   the stream does not say, with their greatest number in `max`;
//! * `max` of an integer is the greatest value QEMU lets in, `min` the least of a timer
//!   that is pending; `timer` names the earlier field of a timer whose expiry this
//!   integer is in ticks of a clock of `hz`. Impossible values are what tells a wrong
//!   reading from the right one;
//! * `struct` may be a name from `structs`;
//! * integers need no `size`, and subsections are optional.
//!
//! A stream's description leaves nothing open. There these words mean nothing, so that
//! what comes with a stream can neither forbid values nor ask for many readings.

use serde_json::{Map, Value as Json};

use super::{Condition, Count, Kind, Layout, Layouts, Member, NoLayout, Ticks};

/// Layouts of kinds of devices, from a file of ours.
pub(super) fn kinds(text: &str) -> Result<Layouts, NoLayout> {
    let json = parse(text)?;
    let source = Source { structs: json["structs"].as_object() };
    let mut layouts = Layouts::default();
    for section in list(&json, "sections")? {
        let layout = source.structure(section)?;
        layouts.kinds.insert(layout.name.to_string(), layout);
    }
    Ok(layouts)
}

/// Layouts of single devices, from a stream's description of itself.
pub(crate) fn devices(json: &Json) -> Result<Layouts, NoLayout> {
    let source = Source { structs: None };
    let mut layouts = Layouts::default();
    for device in list(json, "devices")? {
        let (name, instance) = (string(device, "name")?, number(device, "instance_id")?);
        let key = (name.to_owned(), instance);
        // What QEMU saves with a function of its own has no structure's name.
        let layout = source.named(device, device["vmsd_name"].as_str().unwrap_or(name))?;
        if layouts.devices.insert(key, layout).is_some() {
            return Err(NoLayout(format!("device {name:?} instance {instance} occurs twice")));
        }
    }
    Ok(layouts)
}

struct Source<'a> {
    /// Structures to refer to by name; a stream's description has none.
    structs: Option<&'a Map<String, Json>>,
}

impl Source<'_> {
    fn structure(&self, json: &Json) -> Result<Layout, NoLayout> {
        self.named(json, string(json, "vmsd_name")?)
    }

    fn named(&self, json: &Json, name: &str) -> Result<Layout, NoLayout> {
        let members = list(json, "fields")?;
        let subsections = json["subsections"].as_array().map_or(&[][..], Vec::as_slice);
        Ok(Layout {
            name: name.into(),
            version: number(json, "version")?,
            members: members.iter().map(|field| self.member(field)).collect::<Result<_, _>>()?,
            subsections: subsections
                .iter()
                .map(|json| self.structure(json))
                .collect::<Result<_, _>>()?,
            exact: self.structs.is_none(),
        })
    }

    fn member(&self, json: &Json) -> Result<Member, NoLayout> {
        let name = string(json, "name")?;
        let kind = self.kind(json)?;
        let own = self.structs.is_some();
        let count = match &json["array_len"] {
            // Four levels, each of them 0 or 1.
            Json::Null if json["type"] == "pci irq state" => Count::Fixed(4),
            Json::Null => Count::One,
            Json::String(open) if own && open == "*" => {
                Count::Open { max: number(json, "max")?.into() }
            }
            Json::String(field) if own => Count::Field(field.as_str().into()),
            count => Count::Fixed(
                count.as_u64().ok_or_else(|| NoLayout(format!("{name:?} has a bad array_len")))?,
            ),
        };
        let when = self.more(json, "when").as_str().unwrap_or_default().split_whitespace();
        let condition = |word: &str| match word.split_at_checked(1) {
            Some(("@", field)) => Condition::NotZero(field.into()),
            Some(("!", name)) => Condition::Switch { name: name.into(), on: false },
            _ => Condition::Switch { name: word.into(), on: true },
        };
        let name = match json["index"].as_u64() {
            Some(index) => format!("{name}[{index}]").into(),
            None => name.into(),
        };
        let ticks = match self.more(json, "timer").as_str() {
            Some(timer) => Some(Ticks { timer: timer.into(), hz: number(json, "hz")?.max(1) }),
            None => None,
        };
        let type_name = string(json, "type")?.into();
        Ok(Member { name, type_name, kind, count, when: when.map(condition).collect(), ticks })
    }

    fn kind(&self, json: &Json) -> Result<Kind, NoLayout> {
        let name = string(json, "type")?;
        let max = self.more(json, "max");
        let unsigned = |size| Kind::Unsigned { size, max: max.as_u64().unwrap_or(u64::MAX) };
        let signed = |size| Kind::Signed { size, max: max.as_i64().unwrap_or(i64::MAX) };
        let (kind, size) = match name {
            "bool" => (Kind::Bool, 1),
            "uint8" | "uint8 equal" => (unsigned(1), 1),
            "uint16" | "uint16 equal" => (unsigned(2), 2),
            "uint32" | "uint32 equal" => (unsigned(4), 4),
            "uint64" | "uint64 equal" => (unsigned(8), 8),
            "timer" => (Kind::Timer { min: self.more(json, "min").as_u64().unwrap_or(0) }, 8),
            "int8" => (signed(1), 1),
            "int16" => (signed(2), 2),
            "int32" | "int32 equal" | "int32 le" => (signed(4), 4),
            "int64" => (signed(8), 8),
            "pci irq state" => (Kind::Unsigned { size: 4, max: 1 }, 16),
            "struct" => return self.nested(&json["struct"]),
            // Converted on the way: the fields stand where a structure would.
            "tmp" if json["fields"].is_array() => return self.nested(json),
            // Whatever else there is, its bytes are kept.
            _ => {
                let size = json["size"].as_u64().and_then(|size| usize::try_from(size).ok());
                let missing = || NoLayout(format!("a field of type {name:?} has no size"));
                return Ok(Kind::Bytes(size.ok_or_else(missing)?));
            }
        };
        match json["size"].as_u64() {
            Some(stated) if stated != size => {
                Err(NoLayout(format!("a field of type {name:?} cannot have {stated} bytes")))
            }
            _ => Ok(kind),
        }
    }

    /// What only the layouts built in can say.
    fn more<'j>(&self, json: &'j Json, key: &str) -> &'j Json {
        static NOTHING: Json = Json::Null;
        if self.structs.is_some() { &json[key] } else { &NOTHING }
    }

    fn nested(&self, json: &Json) -> Result<Kind, NoLayout> {
        let json = match json.as_str() {
            Some(name) => self
                .structs
                .and_then(|structs| structs.get(name))
                .ok_or_else(|| NoLayout(format!("structure {name:?} is not defined")))?,
            None => json,
        };
        Ok(Kind::Structure(Box::new(self.structure(json)?)))
    }
}

pub(crate) fn parse(text: &str) -> Result<Json, NoLayout> {
    serde_json::from_str(text).map_err(|error| NoLayout(error.to_string()))
}

fn list<'a>(json: &'a Json, key: &str) -> Result<&'a [Json], NoLayout> {
    let list = json[key].as_array().map(Vec::as_slice);
    list.ok_or_else(|| NoLayout(format!("no list of {key}")))
}

fn string<'a>(json: &'a Json, key: &str) -> Result<&'a str, NoLayout> {
    json[key].as_str().ok_or_else(|| NoLayout(format!("an entry has no {key}")))
}

fn number(json: &Json, key: &str) -> Result<u32, NoLayout> {
    let number = json[key].as_u64().and_then(|number| u32::try_from(number).ok());
    number.ok_or_else(|| NoLayout(format!("an entry has no {key}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layouts_built_in_are_readable() {
        let layouts = kinds(include_str!("../../layouts/pc.json")).unwrap();
        assert!(layouts.kinds.contains_key("piix4_pm"));
        assert_eq!(layouts.kinds["platform"].version, 4);
    }

    #[test]
    fn a_description_that_makes_no_sense_is_refused() {
        let device = |fields: &str| {
            let head = r#""name": "a", "instance_id": 0, "vmsd_name": "a", "version": 1"#;
            format!(r#"{{"devices": [{{{head}, "fields": [{fields}]}}]}}"#)
        };
        let devices = |text: &str| devices(&parse(text)?);
        assert!(devices(&device(r#"{"name": "x", "type": "uint8", "size": 1}"#)).is_ok());
        for (text, reason) in [
            ("", "EOF"),
            ("[]", "no list of devices"),
            (&device(r#"{"type": "uint8", "size": 1}"#), "no name"),
            (&device(r#"{"name": "x", "type": "uint8", "size": 2}"#), "cannot have 2 bytes"),
            (&device(r#"{"name": "x", "type": "buffer"}"#), "has no size"),
            (&device(r#"{"name": "x", "type": "struct", "struct": "y"}"#), "not defined"),
            (&device(r#"{"name": "x", "type": "struct"}"#), "no vmsd_name"),
            (&device(r#"{"name": "x", "type": "uint8", "array_len": -1}"#), "bad array_len"),
            (&device(r#"{"name": "x", "type": "uint8", "array_len": "*", "max": 9}"#), "array_len"),
            (&device(r#"{"name": "x", "type": "uint8", "array_len": "y"}"#), "bad array_len"),
        ] {
            let error = devices(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{error:?} does not say {reason:?}");
        }
    }
}
