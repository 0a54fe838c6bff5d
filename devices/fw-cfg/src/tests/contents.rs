//! Every entry and every file, against those of real machines.
//!
//! The recording has, for each machine, what it was started with, and then its
//! entries (number, length, contents without zeros at the end) and files (number,
//! length, name, contents). `-` and `*` stand for what the recording leaves out:
//! the directory, ACPI, option ROMs, and what was made by a rule.

use southbridge_sdk::wit::PropertyValue;
use southbridge_sdk::{Device as _, wit::Description};

use super::{Files, acpi, bench, directory, entry, unpack};
use crate::FwCfg;

/// One machine of the recording.
#[derive(Default)]
struct Recorded {
    name: String,
    properties: Vec<(String, String)>,
    files: Files,
    entries: Vec<(u16, usize, String)>,
    directory: Vec<(u16, usize, String, String)>,
}

fn hexadecimal(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks_exact(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal digits")).collect()
}

/// A kernel image with so many setup sectors in its header and so much behind them.
fn kernel(sectors: u8, version: u16, size: usize, initrd_max: u32) -> Vec<u8> {
    let setup = if sectors == 0 { 5 } else { usize::from(sectors) + 1 };
    let mut image: Vec<u8> = (0..setup * 512).map(|index| (index * 7 + 3) as u8).collect();
    image[0x1f1] = sectors;
    image[0x1fe..0x200].copy_from_slice(&[0x55, 0xaa]);
    image[0x202..0x206].copy_from_slice(b"HdrS");
    image[0x206..0x208].copy_from_slice(&version.to_le_bytes());
    image[0x210..0x230].fill(0);
    image[0x211] = 1;
    image[0x22c..0x230].copy_from_slice(&initrd_max.to_le_bytes());
    image[0x236..0x238].fill(0);
    image.extend((0..size).map(|index| (index * 13 + 5) as u8));
    image
}

fn generated(rule: &str) -> Vec<u8> {
    match rule {
        "k1" => kernel(4, 0x20c, 70_000, 0x37ff_ffff),
        "k2" => kernel(0, 0x201, 3000, 0),
        "k3" => kernel(30, 0x204, 1001, 0x7fff_ffff),
        "ird" => (0..54_321).map(|index| (index * 11) as u8).collect(),
        other => panic!("no rule {other}"),
    }
}

fn recorded() -> Vec<Recorded> {
    let text = unpack(include_bytes!("../../tests/data/contents.txt.gz"));
    let mut machines: Vec<Recorded> = Vec::new();
    for line in text.lines() {
        let (kind, rest) = line.split_once(' ').expect("a kind of line");
        if kind == "machine" {
            machines.push(Recorded { name: rest.into(), ..Recorded::default() });
            continue;
        }
        let machine = machines.last_mut().expect("a machine comes first");
        let words: Vec<&str> = rest.split(' ').collect();
        let key = |at: usize| u16::from_str_radix(words[at], 16).expect("an entry's number");
        let length = |at: usize| words[at].parse::<usize>().expect("a length");
        match kind {
            "property" => {
                let (name, value) = rest.split_once(' ').expect("a value");
                machine.properties.push((name.into(), value.replace("\\n", "\n")));
            }
            "given" => {
                let zeros = words[1].strip_prefix("zeros:").map(|size| size.parse().unwrap());
                let data = zeros.map_or_else(|| hexadecimal(words[1]), |size| vec![0; size]);
                machine.files.insert(words[0].into(), data);
            }
            "generated" => {
                machine.files.insert(words[0].into(), generated(words[1]));
            }
            "entry" => machine.entries.push((key(0), length(1), words[2].into())),
            "file" => {
                let contents = words.get(3).copied().unwrap_or_default();
                machine.directory.push((key(0), length(1), words[2].into(), contents.into()));
            }
            other => panic!("no kind {other}"),
        }
    }
    machines
}

fn value(description: &Description, name: &str, text: &str) -> PropertyValue {
    let declared = description.properties.iter().find(|declared| declared.name == name);
    match declared.unwrap_or_else(|| panic!("property {name}")).default {
        PropertyValue::Flag(_) => PropertyValue::Flag(text == "true"),
        PropertyValue::Number(_) => PropertyValue::Number(text.parse().expect("a number")),
        PropertyValue::Text(_) => PropertyValue::Text(text.into()),
    }
}

#[test]
fn they_are_those_of_qemu() {
    let machines = recorded();
    assert!(machines.len() > 60, "{} machines", machines.len());
    for machine in machines {
        compare(&machine);
    }
}

fn compare(machine: &Recorded) {
    let Recorded { name, properties, files, entries, directory: expected } = machine;
    let what = format!("{name} {properties:?}");
    let description = FwCfg::describe();
    let values: Vec<_> = properties
        .iter()
        .map(|(name, text)| (name.as_str(), value(&description, name, text)))
        .collect();
    let size = |name: &str| {
        expected.iter().find(|(_, _, other, _)| other == name).map(|(_, size, _, _)| *size)
    };
    let tables = acpi(
        size("etc/acpi/tables").expect("ACPI"),
        size("etc/acpi/rsdp").expect("ACPI"),
        size("etc/table-loader").expect("ACPI"),
    );
    let mut bench = bench(&values, files.clone(), Some(tables));

    for key in (0..0x1a).chain(0x8000..0x8005) {
        let found = bench.device.length(key).unwrap_or(0);
        let recorded = entries.iter().find(|(other, _, _)| *other == key);
        let (length, contents) = recorded.map_or((0, "-"), |(_, length, text)| (*length, text));
        assert_eq!(found, length, "length of {key:#06x}, {what}");
        let read = entry(&mut bench, key, length);
        match (key, contents) {
            (_, "-") => {}
            (0x11, "*") => assert!(files["kernel"].ends_with(&read), "kernel, {what}"),
            (0x12, "*") => assert_eq!(read, files["initrd"], "initrd, {what}"),
            _ => {
                let mut expected = hexadecimal(contents);
                expected.resize(length, 0);
                assert_eq!(read, expected, "entry {key:#06x}, {what}");
            }
        }
    }

    let found = directory(&mut bench);
    let names: Vec<_> = expected.iter().map(|(_, _, name, _)| name).collect();
    assert_eq!(found.len(), expected.len(), "{names:?}, found {found:?}, {what}");
    for (number, length, name, contents) in expected {
        assert_eq!(found.get(name), Some(&(*number, *length)), "{name}, {what}");
        let read = entry(&mut bench, *number, *length);
        if contents != "-" {
            assert_eq!(read, hexadecimal(contents), "{name}, {what}");
        }
    }
}
