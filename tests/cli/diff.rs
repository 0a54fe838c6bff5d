//! What the program says of two saved states.

use serde_json::{Value, json};

use super::program::{Ended, Files, run};
use super::state::saved_by_xl;
use crate::data::named;

/// Runs the command on files with these contents; returns the status and what
/// was said.
fn diff(a: &[u8], b: &[u8], options: &[&str]) -> (Option<i32>, String) {
    let files = Files::new();
    let (a, b) = (files.write("a", a), files.write("b", b));
    let Ended { status, stdout, stderr } =
        run(&[&["state", "diff"], options, &[a.as_str(), &b]].concat());
    assert_eq!(stderr, "");
    (status, stdout)
}

fn json(a: &[u8], b: &[u8]) -> Value {
    let (status, text) = diff(a, b, &["--json"]);
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status, Some(i32::from(value["equal"] == false)));
    value
}

fn section<'a>(diff: &'a Value, name: &str) -> &'a Value {
    let mut sections = diff["sections"].as_array().unwrap().iter();
    sections.find(|section| section["section"] == name).unwrap_or_else(|| panic!("{diff:#}"))
}

fn field<'a>(section: &'a Value, name: &str) -> &'a Value {
    let mut fields = section["fields"].as_array().unwrap().iter();
    fields.find(|field| field["field"] == name).unwrap_or_else(|| panic!("{section:#}"))
}

#[test]
fn a_state_is_equal_to_itself_whatever_is_around_it() {
    for name in ["xl/qemu7.2-xenfv-4.2-smbus.qevm", "qemu-7.2/pc-i440fx-4.2/full.bin"] {
        let state = &named(name).bytes;
        assert_eq!(diff(state, state, &[]), (Some(0), String::new()));
        assert_eq!(json(state, state)["sections"], json!([]));
    }
    let state = &named("xl/qemu5.2-xenfv.qevm").bytes;
    assert_eq!(diff(state, &saved_by_xl(4096, state), &[]).0, Some(0));
}

#[test]
fn the_numbers_and_order_of_sections_do_not_count() {
    let golden = named("xl/qemu7.2-xenfv.qevm");
    let mut stream = golden.read();
    let sections = &mut stream.devices.sections;
    sections.reverse();
    for (id, section) in (100..).zip(sections) {
        section.id = id;
    }
    let other = stream.write(&[]);
    assert!(other != golden.bytes);
    assert_eq!(diff(&golden.bytes, &other, &[]), (Some(0), String::new()));
}

#[test]
fn fields_that_differ_are_shown_with_values_and_places() {
    let a = &named("qemu-7.2/pc-i440fx-4.2/reset.bin").bytes;
    let b = &named("qemu-7.2/pc-i440fx-4.2/smbus.bin").bytes;
    let diff_ab = json(a, b);
    assert_eq!(diff_ab["frame"], json!([]));
    let pm = section(&diff_ab, "0000:00:01.3/piix4_pm");
    let command = field(pm, "smb.smb_cmd");
    assert_eq!((&command["a"]["value"], &command["b"]["value"]), (&json!(0), &json!(8)));
    for (side, bytes) in [("a", a), ("b", b)] {
        let offset = command[side]["offset"].as_u64().unwrap() as usize;
        assert_eq!(command[side]["value"], bytes[offset]);
        // The SMBus host's base address and enable, at 0x90 and 0xd2, are equal
        // in both; what differs is the PM base at 0x40.
        let base = field(pm, "parent_obj.config[0][0x41]");
        let offset = base[side]["offset"].as_u64().unwrap() as usize;
        assert_eq!(base[side]["value"], format!("{:02x}", bytes[offset]));
    }
    // Three EEPROMs were used.
    let mut alone = diff_ab["sections"].as_array().unwrap().iter();
    assert!(alone.any(|section| section["section"] == "smbus-eeprom" && section["a"].is_null()));

    let (status, text) = diff(a, b, &[]);
    assert_eq!(status, Some(1));
    let row = text.lines().find(|line| line.contains(" smb.smb_cmd ")).unwrap();
    let offset = format!("{:#x}", command["b"]["offset"].as_u64().unwrap());
    let cells: Vec<_> = row.split_whitespace().collect();
    assert_eq!(cells[2..], ["0", offset.as_str(), "8"], "{row}");
    assert!(text.contains("\nsmbus-eeprom instance 2: only in B, version 1, 301 bytes"), "{text}");
}

#[test]
fn states_of_two_machines_differ_where_their_formats_do() {
    let a = &named("xl/qemu7.2-xenfv-4.2-smbus.qevm").bytes;
    let b = &named("xl/qemu7.2-xenfv-smbus.qevm").bytes;
    let found = json(a, b);
    assert_eq!(found["frame"], json!([]));
    let smb = field(section(&found, "0000:00:01.3/piix4_pm"), "smb");
    assert_eq!((&smb["a"]["bytes"], &smb["b"]), (&json!(48), &Value::Null));
    let eeprom = section(&found, "smbus-eeprom");
    assert_eq!((&eeprom["a"]["bytes"], &eeprom["b"]), (&json!(301), &Value::Null));
}

#[test]
fn what_is_around_the_sections_is_compared() {
    let mut stream = named("qemu-7.2/pc-i440fx-4.2/smbus.bin").read();
    let bytes = &named("qemu-7.2/pc-i440fx-4.2/smbus.bin").bytes;
    let live = stream.live.range.clone();
    let live = &bytes[live.start as usize..live.end as usize];
    stream.configuration.as_mut().unwrap().machine = "pc-i440fx-4.1".into();
    stream.devices.description = None;
    let found = json(bytes, &stream.write(live));
    assert_eq!(found["sections"], json!([]), "{found:#}");
    let machines = json!({"part": "machine", "a": "pc-i440fx-4.2", "b": "pc-i440fx-4.1"});
    let descriptions = json!({"part": "description", "a": true, "b": false});
    assert_eq!(found["frame"], json!([machines, descriptions]));

    stream.configuration = None;
    stream.devices.footers = false;
    let found = json(bytes, &stream.write(&[]));
    let parts: Vec<_> =
        found["frame"].as_array().unwrap().iter().map(|around| &around["part"]).collect();
    assert_eq!(parts, ["machine", "memory", "footers", "description"]);
    let (_, text) = diff(bytes, &stream.write(&[]), &[]);
    assert!(text.contains("\nfooters      yes"), "{text}");
}

/// A stream of one section of two bytes, which it describes as one field.
fn described(name: &str, version: u32, field: &str, byte: u8) -> Vec<u8> {
    let description = json!({"page_size": 4096, "devices": [{
        "name": name, "instance_id": 0, "vmsd_name": name, "version": version,
        "fields": [{"name": field, "type": "uint16", "size": 2}],
    }]});
    let section = vmstate::Section {
        id: 1,
        name: name.into(),
        instance: 0,
        version,
        payload: vec![1, byte],
        offset: 0,
    };
    let description = Some(description.to_string());
    let devices = vmstate::Devices { footers: true, sections: vec![section], description };
    vmstate::Stream { configuration: None, live: vmstate::Live::default(), devices }.write(&[])
}

#[test]
fn streams_that_describe_themselves_are_read_as_they_say() {
    let found = json(&described("thing", 1, "x", 2), &described("thing", 1, "x", 3));
    assert_eq!(field(section(&found, "thing"), "x")["b"]["value"], 0x103);
    let found = json(&described("thing", 1, "x", 2), &described("thing", 1, "y", 2));
    assert_eq!(field(section(&found, "thing"), "x")["b"], Value::Null);
    assert_eq!(field(section(&found, "thing"), "y")["a"], Value::Null);
    let found = json(&described("thing", 1, "x", 2), &described("thing", 2, "x", 2));
    let thing = section(&found, "thing");
    assert_eq!((&thing["fields"], &thing["b"]["version"]), (&json!([]), &json!(2)));
}

#[test]
fn a_section_that_cannot_be_read_is_compared_as_bytes() {
    // Only one of both describes itself, so the layouts built in count, and they
    // do not have this version.
    let golden = named("xl/qemu7.2-xenfv.qevm");
    let found = json(&described("port92", 7, "x", 0), &golden.bytes);
    let port92 = section(&found, "port92");
    assert_eq!((&port92["a"]["version"], &port92["b"]["version"]), (&json!(7), &json!(1)));
    let known = &golden.read().devices.section("port92", 0).unwrap().payload.clone();
    let data = field(port92, "data");
    assert_eq!((&data["a"]["value"], &data["b"]["bytes"]), (&json!("0100"), &json!(known.len())));
}

#[test]
fn failing_is_told_from_differing() {
    let files = Files::new();
    let state = files.write("a", &named("xl/qemu7.2-xenfv.qevm").bytes);
    for other in [files.text("none"), files.write("b", b"no state")] {
        for order in [[&state, &other], [&other, &state]] {
            let ended = run(&["state", "diff", order[0], order[1]]);
            assert_eq!((ended.status, ended.stdout.as_str()), (Some(2), ""));
            assert!(ended.stderr.starts_with(&format!("southbridge: error: {other}: ")));
        }
    }
}
