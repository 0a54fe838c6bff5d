//! Descriptions of sections, as a stream carries one.

use crate::data::{golden, named};
use serde_json::Value as Json;
use vmstate::{Layouts, Problem, Section, Structure, Value, describe};

/// The numbers and bytes in the order of the wire, whatever they are called.
fn leaves(structure: &Structure, out: &mut Vec<(usize, Json)>) {
    for field in &structure.fields {
        leaf(field.offset, &field.value, out);
    }
    for subsection in &structure.subsections {
        out.push((subsection.offset, subsection.name.to_string().into()));
        leaves(&subsection.content, out);
    }
}

fn leaf(offset: usize, value: &Value, out: &mut Vec<(usize, Json)>) {
    match value {
        Value::Structure(inner) => leaves(inner, out),
        Value::List(list) => list.iter().for_each(|value| leaf(offset, value, out)),
        value => out.push((offset, value.to_json())),
    }
}

fn values(layouts: &Layouts, section: &Section) -> Vec<Json> {
    let mut out = Vec::new();
    leaves(&layouts.decode(section).unwrap().structure, &mut out);
    out.into_iter().map(|(_, value)| value).collect()
}

#[test]
fn sections_are_read_by_their_description_as_by_the_layouts_built_in() {
    let mut count = 0;
    for golden in golden() {
        let sections = golden.read().devices.sections;
        let text = describe(None, &sections, None).unwrap();
        let own = Layouts::from_description(&text).unwrap();
        for section in &sections {
            let of = format!("{} of {}", section.name, golden.name);
            assert_eq!(values(&own, section), values(Layouts::builtin(), section), "{of}");
            count += 1;
        }
    }
    assert!(count > 6000, "{count}");
}

#[test]
fn a_stream_is_read_by_the_description_put_at_its_end() {
    for golden in golden() {
        let mut stream = golden.read();
        let live = &golden.bytes[stream.live.range.start as usize..stream.live.range.end as usize];
        let machine = stream.configuration.as_ref().map(|found| found.machine.as_str());
        let text = describe(machine, &stream.devices.sections, None).unwrap();
        stream.devices.description = Some(text);
        // Nothing else says what sections consist of.
        let read = vmstate::Stream::read(&stream.write(live), &Layouts::default());
        assert_eq!(read.unwrap(), stream, "{}", golden.name);
    }
}

/// Entries for each element of an array as one for all of them. QEMU tells apart
/// what could differ, even where it does not.
fn rolled(json: &Json) -> Json {
    match json {
        Json::Array(list) => {
            let mut out: Vec<Json> = Vec::new();
            for mut entry in list.iter().map(rolled) {
                let index = entry.as_object_mut().and_then(|entry| entry.remove("index"));
                let Some(index) = index.and_then(|index| index.as_u64()) else {
                    out.push(entry);
                    continue;
                };
                entry["array_len"] = (index + 1).into();
                if index > 0 {
                    let mut before = out.pop().unwrap();
                    assert_eq!(before["array_len"], index);
                    before["array_len"] = (index + 1).into();
                    assert_eq!(before, entry);
                }
                out.push(entry);
            }
            out.into()
        }
        Json::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), rolled(value))).collect()
        }
        value => value.clone(),
    }
}

#[test]
fn fields_are_described_as_qemu_does() {
    let golden = named("qemu-7.2/pc-i440fx-7.2/poked.bin").read();
    let theirs: Json = serde_json::from_str(&golden.devices.description.unwrap()).unwrap();
    let ours = describe(None, &golden.devices.sections, None).unwrap();
    let ours: Json = serde_json::from_str(&ours).unwrap();
    let devices = |json: &Json| json["devices"].as_array().unwrap().clone();
    for (ours, theirs) in devices(&ours).iter().zip(&devices(&theirs)) {
        // QEMU 10.0 put fields into padding: the bytes do not tell which it is.
        if theirs["name"] != "globalstate" {
            assert_eq!(*ours, rolled(theirs));
        }
    }
    assert_eq!(devices(&ours).len(), devices(&theirs).len());
    assert_eq!(ours["page_size"], theirs["page_size"]);
}

#[test]
fn what_is_described_already_is_not_described_anew() {
    for golden in golden() {
        let stream = golden.read();
        let Some(existing) = stream.devices.description.as_deref() else { continue };
        let machine = stream.configuration.as_ref().map(|found| found.machine.as_str());
        let same = describe(machine, &stream.devices.sections, Some(existing)).unwrap();
        assert!(same == existing, "{}", golden.name);
    }
}

#[test]
fn a_section_that_has_changed_is_described_anew_and_the_others_are_kept() {
    let (old, new) = (
        named("qemu-7.2/pc-i440fx-3.1/reset.bin").read(),
        named("qemu-7.2/pc-i440fx-4.0/reset.bin").read(),
    );
    let existing = old.devices.description.as_deref();
    let text = describe(Some("pc-i440fx-4.0"), &new.devices.sections, existing).unwrap();
    let layouts = Layouts::from_description(&text).unwrap();
    for section in &new.devices.sections {
        assert!(layouts.decode(section).is_ok(), "{}", section.name);
    }
    // Described one by one, as they were.
    let bmdma = r#""index":1,"name":"bmdma""#;
    assert!(text.contains(bmdma), "{text}");
    assert!(!describe(None, &new.devices.sections, None).unwrap().contains(bmdma));
    let json: Json = serde_json::from_str(&text).unwrap();
    assert_eq!(json["configuration"]["fields"][1]["size"], 13);
}

#[test]
fn a_section_nobody_knows_is_described_by_the_stream_alone() {
    let section = Section {
        id: 1,
        name: "lab".to_owned(),
        instance: 2,
        version: 1,
        payload: vec![7],
        offset: 99,
    };
    let existing = r#"{"devices": [{"name": "lab", "instance_id": 2, "vmsd_name": "lab",
        "version": 1, "fields": [{"name": "state", "type": "uint8", "size": 1}]}]}"#;
    let sections = [section];
    assert_eq!(describe(None, &sections, Some(existing)).unwrap(), existing);
    let error = describe(None, &sections, None).unwrap_err();
    assert_eq!(error.offset, 99);
    assert!(matches!(error.problem, Problem::UnknownSection { .. }), "{error}");
    let longer = [Section { payload: vec![7, 8], ..sections[0].clone() }];
    assert!(describe(None, &longer, Some(existing)).is_err());
    let error = describe(None, &sections, Some("{")).unwrap_err();
    assert!(matches!(error.problem, Problem::Description(_)), "{error}");
}
