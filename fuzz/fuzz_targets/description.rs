//! Any text as a description of a stream, and any bytes as what it describes: two
//! bytes say how many bytes of devices come before the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value as Json;
use vmstate::{Layouts, Section, Stream, Writer};

fuzz_target!(|input: &[u8]| {
    let Some((length, rest)) = input.split_first_chunk() else { return };
    let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
    let (devices, text) = rest.split_at(length);
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let Ok(layouts) = Layouts::from_description(text) {
        every_device(text, &layouts, devices);
    }
    // And at its place behind the devices.
    let mut writer = Writer::new();
    writer.bytes(b"QEVM\0\0\0\x03");
    writer.bytes(devices);
    writer.bytes(b"\0\x06");
    writer.integer(text.len() as u64, 4);
    writer.bytes(text.as_bytes());
    let bytes = writer.into_bytes();
    if let Ok(stream) = Stream::read(&bytes, Layouts::builtin()) {
        let range = stream.live.range.start as usize..stream.live.range.end as usize;
        assert!(stream.write(&bytes[range]) == bytes, "written back differently");
    }
});

/// Takes the bytes for the payload of each device that is described.
fn every_device(text: &str, layouts: &Layouts, payload: &[u8]) {
    let json: Json = serde_json::from_str(text).expect("layouts have been made from it");
    for device in json["devices"].as_array().into_iter().flatten().take(8) {
        let number = |key: &str| device[key].as_u64().unwrap_or(0) as u32;
        let section = Section {
            id: 0,
            name: device["name"].as_str().unwrap_or_default().to_owned(),
            instance: number("instance_id"),
            version: number("version"),
            payload: payload.to_vec(),
            offset: 0,
        };
        if let Ok(reading) = layouts.decode(&section) {
            assert_eq!(reading.structure.encode().as_ref(), Ok(&section.payload));
            let _ = reading.structure.to_json();
        }
    }
}
