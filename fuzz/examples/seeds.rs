//! Writes the corpora to start from: the streams and sections in `tests/data`, in
//! the form of each target's inputs.

#[path = "../../host/vmstate/tests/streams/data.rs"]
#[allow(dead_code, reason = "the tests it is shared with need more of it")]
mod data;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;

use data::{Golden, golden};
use flate2::read::GzDecoder;
use serde_json::{Value as Json, json};
use southbridge_fuzz::load::{DEVICES, State};
use southbridge_sdk::wit::Section;
use vmstate::{Devices, Stream, Writer, ram, xl};

/// The longest stream that is taken as it is.
const SHORT: usize = 16 << 10;
/// Sizes of pieces.
const SIZES: [u8; 8] = [0, 1, 0, 7, 16, 0, 0, 64];

fn main() -> io::Result<()> {
    let corpora = [
        ("stream", streams()),
        ("xl", save_files()),
        ("description", descriptions()),
        ("load", loads()),
        ("convert", states()),
        ("qmp", qmp()),
        ("qtest", qtest()),
    ];
    for (target, corpus) in corpora {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        std::fs::create_dir_all(&directory)?;
        for (name, bytes) in &corpus {
            std::fs::write(directory.join(name.replace('/', "_")), bytes)?;
        }
        println!("{target}: {} seeds", corpus.len());
    }
    Ok(())
}

fn in_pieces(bytes: &[u8]) -> Vec<u8> {
    [&SIZES, bytes].concat()
}

/// Short streams, and of the long ones all that is not long in them.
fn streams() -> BTreeMap<String, Vec<u8>> {
    let mut seeds = BTreeMap::new();
    for golden in golden() {
        let mut stream = golden.read();
        if golden.bytes.len() <= SHORT {
            seeds.insert(golden.name.clone(), in_pieces(&golden.bytes));
            continue;
        }
        stream.devices.sections.retain(|section| section.payload.len() <= 512);
        stream.devices.description = None;
        let bytes = stream.write(&memory(golden, &stream));
        seeds.insert(format!("{}-short", golden.name), in_pieces(&bytes));
    }
    seeds
}

/// Requests of recorded conversations with QEMU, a few in a row.
fn qmp() -> BTreeMap<String, Vec<u8>> {
    let mut seeds = BTreeMap::new();
    for recording in ["arguments", "descriptors", "machine", "requests", "syntax"] {
        let path = format!("{}/../tests/data/qmp/{recording}.txt", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).expect("it is part of the project");
        let requests = text.lines().filter_map(|line| line.strip_prefix("> "));
        // Escapes but for a line's end are as good as what they stand for.
        let requests: Vec<_> = requests.map(|request| request.replace("\\n", "\n")).collect();
        for (number, few) in requests.chunks(4).enumerate() {
            let bytes = ["{'execute': 'qmp_capabilities'}\n", &few.concat()].concat();
            seeds.insert(format!("{recording}-{number}"), in_pieces(bytes.as_bytes()));
        }
    }
    seeds
}

/// Requests of recorded conversations with QEMU, each with those that follow it.
fn qtest() -> BTreeMap<String, Vec<u8>> {
    let mut seeds = BTreeMap::new();
    for module in ["pm", "gpe", "smbus", "sleep", "pcicfg", "isa"] {
        let path = format!(
            "{}/../tests/data/traces/qemu-7.2/pc-i440fx-7.2/{module}.trace.gz",
            env!("CARGO_MANIFEST_DIR")
        );
        let mut text = String::new();
        let file = std::fs::File::open(&path).expect("it is part of the project");
        GzDecoder::new(file).read_to_string(&mut text).expect("it is compressed text");
        let requests: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("> ")).collect();
        for (number, some) in requests.chunks(20).take(50).enumerate() {
            let bytes = [&some.join("\n")[..], "\n"].concat();
            seeds.insert(format!("{module}-{number}"), in_pieces(bytes.as_bytes()));
        }
    }
    seeds
}

/// States of machines, each to be converted to the other machine type of Xen's or
/// another version of the PC. The numbers are those in the target.
fn states() -> BTreeMap<String, Vec<u8>> {
    let mut seeds = BTreeMap::new();
    for golden in golden().iter().filter(|golden| golden.bytes.len() <= SHORT) {
        let name = |part: &str| golden.name.contains(part);
        let (from, to) = match () {
            () if name("xenfv-4.2") => (1, 0),
            () if name("xenfv") => (0, 1),
            () if name("i440fx-3.1") => (2, 3),
            () if name("i440fx-4.2") => (3, 4),
            () if name("i440fx-7.2") => (4, 5),
            () if name("i440fx-10.0") => (5, 3),
            () => continue,
        };
        seeds.insert(golden.name.clone(), [&[from, to], &golden.bytes[..]].concat());
    }
    seeds
}

/// The live part without nearly all of its pages.
fn memory(golden: &Golden, stream: &Stream) -> Vec<u8> {
    let blocks = &stream.live.blocks;
    let Some(first) = blocks.first() else { return Vec::new() };
    let id = &golden.bytes[stream.live.range.start as usize..][1..5];
    let mut writer = Writer::new();
    let mut piece = |kind: u8, body: &dyn Fn(&mut Writer)| {
        writer.bytes(&[kind]);
        writer.bytes(id);
        body(&mut writer);
        ram::write_end(&mut writer);
        if stream.devices.footers {
            writer.bytes(&[0x7e]);
            writer.bytes(id);
        }
    };
    piece(1, &|writer| {
        writer.bytes(b"\x03ram\0\0\0\0\0\0\0\x04");
        ram::write_blocks(writer, blocks);
    });
    piece(2, &|writer| {
        ram::write_page(writer, Some(&first.name), 0, &[0; ram::PAGE_SIZE]);
        ram::write_page(writer, None, ram::PAGE_SIZE as u64, &[1; ram::PAGE_SIZE]);
    });
    piece(3, &|_| {});
    writer.into_bytes()
}

/// Save files as `xl` writes them, around short states.
fn save_files() -> BTreeMap<String, Vec<u8>> {
    let states = golden().iter().filter(|golden| golden.name.starts_with("xl/"));
    let file = |state: &[u8]| {
        let words = |words: &[u32]| -> Vec<u8> {
            words.iter().flat_map(|word| word.to_le_bytes()).collect()
        };
        let record = |kind, body: &[u8]| {
            let mut bytes = [words(&[kind, body.len() as u32]), body.to_vec()].concat();
            bytes.resize(bytes.len().next_multiple_of(8), 0);
            bytes
        };
        let parts = [
            xl::MAGIC.to_vec(),
            words(&[0x0102_0304, 3, 0, 2]),
            b"{}LibxlFmt\0\0\0\x02\0\0\0\0".to_vec(),
            record(1, &[]),
            [[0xff; 8].as_slice(), b"XENF\0\0\0\x03\0\0\0\0\0\0\0\0"].concat(),
            words(&[2, 12, 4, 17]),
            record(1, &[7; 40]),
            record(0, &[]),
            record(2, &[2, 0, 0, 0, 0, 0, 0, 0]),
            record(3, &[&words(&[2, 0]), state].concat()),
            record(0x8000_0001, b"what may be passed over"),
            record(0, &[]),
        ];
        parts.concat()
    };
    let seed = |name: &str, state: &[u8]| (name.to_owned(), in_pieces(&file(state)));
    let whole = states.map(|golden| seed(&golden.name, &golden.bytes));
    whole.chain([seed("little", b"QEVM\0\0\0\x03\0")]).collect()
}

/// Each kind of device with its own description, in all forms there are.
fn descriptions() -> BTreeMap<String, Vec<u8>> {
    let mut seeds = BTreeMap::new();
    for golden in golden() {
        let devices = golden.read().devices;
        let Some(text) = &devices.description else { continue };
        let description: Json = serde_json::from_str(text).expect("it has been read");
        for device in description["devices"].as_array().into_iter().flatten() {
            let (name, instance) = (&device["name"], &device["instance_id"]);
            let found = devices
                .sections
                .iter()
                .find(|section| *name == section.name.as_str() && *instance == section.instance);
            let Some(section) = found.filter(|section| section.payload.len() <= SHORT) else {
                continue;
            };
            let size = section.payload.len();
            let bytes = Devices {
                sections: vec![section.clone()],
                description: None,
                footers: devices.footers,
            }
            .write();
            let text = json!({ "page_size": 4096, "devices": [device] }).to_string();
            let (bytes, _) = bytes.split_at(bytes.len() - 1);
            let length = (bytes.len() as u16).to_be_bytes();
            let seed = [&length, bytes, text.as_bytes()].concat();
            if seed.len() <= 2 * SHORT {
                seeds.insert(format!("{}-{size}-{}", section.kind(), devices.footers), seed);
            }
        }
    }
    seeds
}

/// The sections QEMU saved, and every device's own.
fn loads() -> BTreeMap<String, Vec<u8>> {
    let mut seeds = BTreeMap::new();
    for entry in &DEVICES {
        let state = State { properties: &[], whole: true, sections: entry.after_reset() };
        seeds.insert(format!("{}-reset", entry.name), entry.seed(&state));
    }
    for (path, data) in sections() {
        let (case, file) = path.split_once('/').expect("cases are directories");
        let (name, form) = file.split_once('-').unwrap_or((file, ""));
        let (device, version, properties) = match name {
            "smbus" => {
                let address = u8::from_str_radix(&form["eeprom-".len()..], 16).expect("an address");
                ("smbus-eeprom", 1, vec![("address", address)])
            }
            "piix4_pm" => ("piix4-pm", 3, power_management(case, form)),
            "i2c_bus" => ("piix4-pm", 1, Vec::new()),
            "PIIX3" => ("piix3", 3, Vec::new()),
            "platform" => ("xen-platform", 4, Vec::new()),
            "PCIBUS" if form == "xen" => ("i440fx", 1, vec![("interrupt-lines", 128)]),
            "I440FX" => ("i440fx", 3, Vec::new()),
            "PCIBUS" | "PCIHost" => ("i440fx", 1, Vec::new()),
            "pckbd" | "ps2kbd" => ("i8042", 3, Vec::new()),
            "ps2mouse" => ("i8042", 2, Vec::new()),
            "port92" => ("port92", 1, Vec::new()),
            "mc146818rtc" => ("mc146818rtc", 3, Vec::new()),
            "ide" => ("piix3-ide", 3, Vec::new()),
            other => panic!("a section {other:?} of no device"),
        };
        let name = if name == "smbus" { "smbus-eeprom" } else { name };
        let entry = DEVICES.iter().find(|entry| entry.name == device).expect("it is listed");
        let sections = vec![Section { name: name.into(), version, data }];
        let state = State { properties: &properties, whole: false, sections };
        seeds.insert(path.clone(), entry.seed(&state));
    }
    seeds
}

/// The properties of the machines of a form of `piix4_pm`.
fn power_management(case: &str, form: &str) -> Vec<(&'static str, u8)> {
    let mut properties: Vec<_> = match form {
        "2.0" => vec!["smbus-migration", "x-not-migrate-acpi-index", "memory-hotplug-support"],
        "2.1" | "xenfv-3.1" => vec!["smbus-migration", "x-not-migrate-acpi-index"],
        "4.0" | "xenfv-4.2" => vec!["x-not-migrate-acpi-index"],
        _ => Vec::new(),
    };
    if case == "nobridge" || form.starts_with("xenfv") {
        properties.push("acpi-pci-hotplug-with-bridge-support");
    }
    properties.into_iter().map(|name| (name, 1)).collect()
}

/// The files in `tests/data/sections`, unpacked, by case and name.
fn sections() -> BTreeMap<String, Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/sections");
    let files = |directory: &Path| -> Vec<_> {
        let entries = std::fs::read_dir(directory).expect("a directory of the repository");
        entries.map(|entry| entry.expect("it can be listed").path()).collect()
    };
    let mut sections = BTreeMap::new();
    for file in files(&root).iter().filter(|case| case.is_dir()).flat_map(|case| files(case)) {
        let path = file.strip_prefix(&root).expect("it is in it").to_string_lossy().into_owned();
        let bytes = std::fs::read(&file).expect("a file of the repository");
        if let Some(path) = path.strip_suffix(".bin") {
            sections.insert(path.to_owned(), bytes);
        } else if let Some(path) = path.strip_suffix(".bin.gz") {
            let mut unpacked = Vec::new();
            GzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).expect("a packed file");
            sections.insert(path.to_owned(), unpacked);
        }
    }
    sections
}
