//! Everything QEMU wrote is read, understood, and written back byte for byte.

use crate::data::{Golden, golden, named};
use serde_json::Value as Json;
use vmstate::{Devices, Layouts, Scanner, Section, Stream};

/// The part of a stream that is copied, not read.
fn live<'a>(golden: &'a Golden, stream: &Stream) -> &'a [u8] {
    &golden.bytes[stream.live.range.start as usize..stream.live.range.end as usize]
}

#[test]
fn every_stream_is_written_back_byte_for_byte() {
    assert_eq!(golden().len(), 244);
    for golden in golden() {
        let stream = golden.read();
        assert!(stream.write(live(golden, &stream)) == golden.bytes, "{}", golden.name);
    }
}

#[test]
fn the_size_of_the_pieces_makes_no_difference() {
    for name in ["qemu-10.0/pc-i440fx-10.0/smbus.bin", "qemu-7.2/pc-i440fx-2.3/novmdesc.bin"] {
        let golden = named(name);
        let whole = golden.read();
        for size in [1, 7, 4096, 4099, 65536] {
            let mut scanner = Scanner::new();
            let mut copied = Vec::new();
            for piece in golden.bytes.chunks(size) {
                let range = scanner.push(piece).unwrap();
                copied.extend_from_slice(&piece[range]);
            }
            assert_eq!(scanner.finish(Layouts::builtin()).unwrap(), whole, "{name} by {size}");
            assert!(copied == live(golden, &whole), "{name} by {size}");
        }
    }
}

#[test]
fn every_section_is_where_another_reader_found_it() {
    let mut count = 0;
    for golden in golden().iter().filter(|golden| !golden.decoded.is_null()) {
        let stream = golden.read();
        let (name, decoded) = (&golden.name, &golden.decoded);
        let machine = stream.configuration.as_ref().map(|found| found.machine.as_str());
        assert_eq!(machine, decoded["machine"].as_str(), "{name}");
        assert_eq!(stream.devices.footers, decoded["footers"], "{name}");
        assert_eq!(stream.devices.description.is_some(), decoded["has_vmdesc"], "{name}");
        let mut sections = stream.devices.sections.iter();
        for expected in decoded["sections"].as_array().unwrap() {
            if expected["type"] != "FULL" {
                continue;
            }
            let section = sections.next().unwrap();
            assert_eq!(section.id, expected["section_id"], "{name}");
            assert_eq!(section.name, *expected["idstr"].as_str().unwrap(), "{name}");
            assert_eq!(section.kind(), expected["vmsd"].as_str().unwrap(), "{name}");
            assert_eq!(section.instance, expected["instance_id"], "{name}");
            assert_eq!(section.version, expected["version_id"], "{name}");
            assert_eq!(section.payload.len(), expected["payload_len"], "{name}");
            let head = 14 + section.name.len() as u64;
            assert_eq!(section.offset - head, expected["off"], "{name}");
            count += 1;
        }
        assert_eq!(sections.next(), None, "{name}");
    }
    assert_eq!(count, 5661);
}

#[test]
fn guest_memory_is_counted_as_another_reader_did() {
    for golden in golden().iter().filter(|golden| !golden.decoded.is_null()) {
        let live = golden.read().live;
        let (mut pages, mut zero, mut blocks) = (0, 0, Vec::new());
        let mut commands = 0;
        for section in golden.decoded["sections"].as_array().unwrap() {
            pages += section["ram"]["pages"]["page"].as_u64().unwrap_or(0);
            zero += section["ram"]["pages"]["zero"].as_u64().unwrap_or(0);
            blocks.extend(section["ram"]["blocks"].as_array().into_iter().flatten());
            commands += usize::from(section["type"] == "COMMAND");
        }
        assert_eq!((live.pages, live.zero_pages), (pages, zero), "{}", golden.name);
        assert_eq!(live.commands, vec![11; commands], "{}", golden.name);
        assert_eq!(live.blocks.len(), blocks.len(), "{}", golden.name);
        for (block, expected) in live.blocks.iter().zip(blocks) {
            assert_eq!(block.name, expected["id"].as_str().unwrap());
            assert_eq!(block.size, expected["size"]);
        }
    }
}

/// Decoded fields flattened, by names all sources agree on.
fn flat(value: &Json, path: &str, out: &mut Vec<(String, Json)>) {
    match value {
        Json::Object(members) => {
            for (name, member) in members {
                flat(member, &format!("{path}/{}", common_name(path, name)), out);
            }
        }
        // An array of one is described as if it were none, and none not at all.
        Json::Array(list) if list.len() == 1 => flat(&list[0], path, out),
        Json::Array(list) => {
            for (index, element) in list.iter().enumerate() {
                flat(element, &format!("{path}[{index}]"), out);
            }
        }
        leaf => out.push((path.to_owned(), leaf.clone())),
    }
}

fn common_name<'a>(path: &str, name: &'a str) -> &'a str {
    match name {
        // The description of xen-platform was put together by hand.
        "PCIDevice" => "parent_obj",
        "config" if path.ends_with("parent_obj") => "config[0]",
        // QEMU 10.0 calls it so.
        "num_timers_save" => "num_timers",
        // The last of an array described one by one has no index in QEMU 10.0.
        "bmdma" | "bus" | "bus[0].ifs" | "bus[1].ifs" => match name {
            "bmdma" => "bmdma[1]",
            "bus" => "bus[1]",
            "bus[0].ifs" => "bus[0].ifs[1]",
            _ => "bus[1].ifs[1]",
        },
        "drives" => "drives[1]",
        "acpi_pci_hotplug.acpi_pcihp_pci_status" => "acpi_pci_hotplug.acpi_pcihp_pci_status[255]",
        name => name,
    }
}

fn flattened(value: &Json) -> Vec<(String, Json)> {
    let mut out = Vec::new();
    flat(value, "", &mut out);
    out.sort_by(|a, b| a.0.cmp(&b.0));
    out
}

/// Arrays decoded as lists, renamed as if described one by one.
fn unrolled(value: &Json) -> Json {
    let Json::Object(members) = value else { return value.clone() };
    let mut out = serde_json::Map::new();
    for (name, member) in members {
        match member.as_array() {
            Some(list) if list.len() > 1 && list[0].is_object() && name != "regs" => {
                for (index, element) in list.iter().enumerate() {
                    out.insert(format!("{name}[{index}]"), unrolled(element));
                }
            }
            _ => drop(out.insert(name.clone(), unrolled(member))),
        }
    }
    Json::Object(out)
}

#[test]
fn every_field_is_what_another_reader_found() {
    let (mut described, mut builtin) = (0, 0);
    for golden in golden().iter().filter(|golden| !golden.decoded.is_null()) {
        let stream = golden.read();
        let own = stream.devices.layouts().unwrap();
        let full = |section: &&Json| section["type"] == "FULL";
        let expected = golden.decoded["sections"].as_array().unwrap().iter().filter(full);
        for (section, expected) in stream.devices.sections.iter().zip(expected) {
            // The reader before us left out what is long and dull.
            if !expected["fields"].is_object() {
                continue;
            }
            let of = format!("{} of {}", section.name, golden.name);
            if let Some(own) = &own {
                let found = own.decode(section).unwrap().structure.to_json();
                assert_eq!(found, expected["fields"], "{of}");
                described += 1;
            }
            let found = Layouts::builtin().decode(section).unwrap().structure.to_json();
            // QEMU 10.0 put fields into padding: the bytes do not tell which it is.
            if section.kind() == "globalstate" && golden.name.starts_with("qemu-7.2") {
                continue;
            }
            assert_eq!(
                flattened(&unrolled(&found)),
                flattened(&unrolled(&expected["fields"])),
                "{of}"
            );
            builtin += 1;
        }
    }
    assert!(described > 3500 && builtin > 4500, "{described} and {builtin} were compared");
}

#[test]
fn every_section_decodes_and_encodes_to_itself() {
    for golden in golden() {
        let stream = golden.read();
        let own = stream.devices.layouts().unwrap();
        for section in &stream.devices.sections {
            for layouts in own.iter().chain([Layouts::builtin()]) {
                let of = format!("{} of {}", section.name, golden.name);
                let reading = layouts.decode(section).unwrap_or_else(|e| panic!("{of}: {e}"));
                assert!(reading.structure.encode().unwrap() == section.payload, "{of}");
            }
        }
    }
}

/// The heads and payloads, without where they lie.
fn contents(sections: &[Section]) -> Vec<Section> {
    sections.iter().map(|section| Section { offset: 0, ..section.clone() }).collect()
}

#[test]
fn sections_are_found_without_description_and_without_footers() {
    for golden in golden() {
        let stream = golden.read();
        for footers in [true, false] {
            // Devices alone: whatever the live part says about footers is not to help.
            let devices = Devices { footers, description: None, ..stream.devices.clone() };
            let bare = Stream { configuration: None, devices, ..stream.clone() }.write(&[]);
            let read = Stream::read(&bare, Layouts::builtin())
                .unwrap_or_else(|error| panic!("{}: {error}", golden.name));
            assert_eq!(read.devices.footers, footers, "{}", golden.name);
            let (found, expected) = (&read.devices.sections, &stream.devices.sections);
            assert!(contents(found) == contents(expected), "{}", golden.name);
        }
    }
}

#[test]
fn both_ways_to_save_a_guest_save_the_same() {
    let mut count = 0;
    for golden in golden().iter().filter(|golden| golden.decoded.is_null()) {
        let Some(name) = golden.name.strip_suffix(".xsds") else { continue };
        let (alone, migrated) = (golden.read(), named(&format!("{name}.bin")).read());
        // All but the clock of the machine they ran on.
        let guest = |stream: &Stream| {
            let mut sections = contents(&stream.devices.sections);
            sections.retain(|section| section.name != "timer");
            sections
        };
        assert!(guest(&alone) == guest(&migrated), "{name}");
        count += 1;
    }
    assert_eq!(count, 36);
}

#[test]
fn the_form_of_piix4_pm_tells_the_machine() {
    let mut forms = std::collections::BTreeMap::new();
    for golden in golden() {
        let stream = golden.read();
        let section =
            stream.devices.sections.iter().find(|section| section.kind() == "piix4_pm").unwrap();
        let reading = Layouts::builtin().decode(section).unwrap();
        let on = |(name, on): &(std::sync::Arc<str>, bool)| on.then(|| name.to_string());
        let on: Vec<_> = reading.switches.iter().filter_map(on).collect();
        let machine = golden.name.split('/').nth(1).unwrap();
        // In the names of xl's files the machine is behind QEMU's version.
        let machine = match machine.strip_suffix(".qevm") {
            Some(name) if name.contains("xenfv-4.2") => "xenfv-4.2",
            Some(_) => "xenfv",
            None => machine,
        };
        let bridge = !golden.name.contains("nobridge");
        forms.entry((machine.to_owned(), bridge)).or_insert_with(Vec::new).push(on.join(" "));
    }
    for ((machine, bridge), forms) in forms {
        let version: f64 = machine.rsplit('-').next().unwrap().parse().unwrap_or(0.0);
        let expected = match machine.as_str() {
            "xenfv" | "xenfv-3.1" => "",
            "xenfv-4.2" | "pc-i440fx-4.2+accel=xen" => "smbus",
            _ if version >= 7.0 && bridge => "smbus bridge-hotplug acpi-index",
            _ if version >= 4.0 && bridge => "smbus bridge-hotplug",
            _ if version >= 4.0 => "smbus",
            _ if bridge => "bridge-hotplug",
            _ => "",
        };
        assert!(forms.iter().all(|form| form == expected), "{machine}: {forms:?}");
    }
}

#[test]
fn every_kind_of_device_in_them_is_built_in() {
    let kinds = Layouts::builtin().kinds();
    for golden in golden() {
        for section in golden.read().devices.sections {
            assert!(kinds.contains(&section.kind()), "{} of {}", section.name, golden.name);
        }
    }
}
