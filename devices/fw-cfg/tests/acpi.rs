//! ACPI's files, as firmware reads them, against those that QEMU's machines have.

#![allow(missing_docs, reason = "tests have no users")]

#[path = "../../firmware-acpi/tests/common/mod.rs"]
mod common;
mod machine;

use std::collections::BTreeMap;
use std::io::Read as _;

use common::{cases, inspect};
use firmware_acpi::Tables;
use fw_cfg::FwCfg;
use machine::Machine;
use southbridge_sdk::fake::{Bench, Fake, override_properties};
use southbridge_sdk::wit::{PropertyValue, Scope};
use southbridge_sdk::{Context, Device as _, Properties};

/// As little as there can be with tables.
const CHIPSET: &str = "i440fx\npiix3 at 01.0\npiix4-pm at 01.3\n";

/// An entry, read as old firmware does.
fn entry(bench: &mut Bench<FwCfg>, key: u16, length: usize) -> Vec<u8> {
    bench.port_out(0x510, 2, key.into());
    (0..length).map(|_| bench.port_in(0x511, 1) as u8).collect()
}

/// Number and length of each file.
fn directory(bench: &mut Bench<FwCfg>) -> BTreeMap<String, (u16, usize)> {
    let count = entry(bench, 0x19, 4);
    let count = u32::from_be_bytes(count.try_into().expect("four bytes")) as usize;
    let slots = entry(bench, 0x19, 4 + count * 64);
    let file = |slot: &[u8]| {
        let name = slot[8..].split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
        let size = u32::from_be_bytes([slot[0], slot[1], slot[2], slot[3]]) as usize;
        let key = u16::from_be_bytes([slot[4], slot[5]]);
        (String::from_utf8(name).expect("a name is text"), (key, size))
    };
    slots[4..].chunks_exact(64).map(file).collect()
}

fn files(bench: &mut Bench<FwCfg>) -> Tables {
    let directory = directory(bench);
    let mut file = |name: &str| {
        let (key, length) = directory[name];
        entry(bench, key, length)
    };
    Tables {
        tables: file("etc/acpi/tables"),
        rsdp: file("etc/acpi/rsdp"),
        loader: file("etc/table-loader"),
    }
}

fn bench(machine: &Machine) -> Bench<FwCfg> {
    let properties: Vec<_> =
        machine.properties.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    Bench::with(&properties)
}

#[test]
fn files_are_those_of_the_recorded_machines() {
    let cases = cases();
    let mut compared = 0;
    let mut differences = Vec::new();
    for case in &cases {
        let Some(machine) = Machine::of(case) else { continue };
        compared += 1;
        let made = files(&mut bench(&machine));
        let difference = inspect::difference(&made, &case.tables);
        differences.extend(difference.map(|text| format!("{}: {text}", case.name)));
    }
    assert!(compared > 300, "{compared} machines");
    assert!(
        differences.is_empty(),
        "{} of {compared} differ:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

/// Name, version and sizes of the subsection, wherever a recorded stream has it.
#[test]
fn sizes_are_those_of_recorded_streams() {
    const NAME: &[u8] = b"\x05\x0efw_cfg/acpi_mr";
    const LENGTH: usize = NAME.len() + 4 + 3 * 8;
    let pieces: &[u8] = include_bytes!("../../../tests/data/streams/pieces.bin.gz");
    let mut streams = Vec::new();
    flate2::read::GzDecoder::new(pieces).read_to_end(&mut streams).expect("compressed");
    let recorded: Vec<_> =
        streams.windows(LENGTH).filter(|window| window.starts_with(NAME)).collect();
    assert!(!recorded.is_empty(), "no stream has it");

    let cases = cases();
    for name in ["7.2-bare", "6.0-defaults", "5.2-smp4"] {
        let case = cases.iter().find(|case| case.name == name).expect("recorded");
        let machine = Machine::of(case).expect("there is such a list");
        let sections = bench(&machine).save(Scope::Stream);
        let saved = &sections[0].data;
        let saved = &saved[saved.len() - LENGTH..];
        assert!(recorded.iter().all(|recorded| *recorded == saved), "{name}: {saved:x?}");
    }
}

/// A device with these properties, which may not be legal ones.
fn configured(overrides: &[(&str, PropertyValue)]) -> Result<FwCfg, String> {
    let properties = override_properties(&FwCfg::describe(), overrides);
    let mut fake = Fake::default();
    let mut cx = Context::new(0, &mut fake);
    FwCfg::configure(&Properties::new(properties), &mut cx)
}

/// Whether there are tables with a list, if it is legal.
fn outcome(devices: &str) -> Result<bool, String> {
    let properties = [("devices", PropertyValue::Text(devices.into()))];
    configured(&properties)?;
    let mut bench = Bench::<FwCfg>::with(&properties);
    Ok(directory(&mut bench).contains_key("etc/acpi/tables"))
}

#[test]
fn a_machine_of_another_chipset_has_no_tables() {
    assert_eq!(outcome(""), Ok(false));
    assert_eq!(outcome("\n \n"), Ok(false));
    assert_eq!(outcome("serial iobase=1016"), Ok(false));
    assert_eq!(outcome("i440fx\npiix3 at 01.0\nserial"), Ok(false));
    assert_eq!(outcome("i440fx\npiix3 at 01.0\npiix4-pm at 01.3"), Ok(true));
}

#[test]
fn lists_that_mean_nothing_are_refused() {
    for (line, complaint) in [
        ("vga at", "an address"),
        ("vga at 20.0", "a slot and a function"),
        ("vga at 02.8", "a slot and a function"),
        ("vga at +2.0", "a slot and a function"),
        ("vga at .", "a slot and a function"),
        ("vga at 01.3", "where another one is"),
        ("vga 02.0", "PROPERTY=VALUE"),
        ("serial iobase=65536", "iobase=65536"),
        ("serial iobase=-1", "iobase=-1"),
        ("serial\nserial\nserial\nserial\nserial", "at most 4"),
        ("pvpanic ioport=x", "ioport=x"),
        ("isa-fdc drive-type-a=360", "\"360\""),
        ("isa-fdc drive-type-a=auto fallback=", "\"\""),
    ] {
        let refusal = outcome(&format!("{CHIPSET}{line}\n")).expect_err(line);
        assert!(refusal.contains("devices") && refusal.contains(complaint), "{line}: {refusal}");
    }
    let refusal = outcome("i440fx\npiix3 at 01.0\npiix4-pm smm-enabled=1").expect_err("no flag");
    assert!(refusal.contains("smm-enabled=1"), "{refusal}");
}

#[test]
fn properties_out_of_range_are_refused() {
    let list = || ("devices", PropertyValue::Text(CHIPSET.into()));
    for (name, value) in [
        ("pm-io-base", 0x601),
        ("pm-io-base", 0x1_0000),
        ("legacy-acpi-table-size", 0x1_0001),
        ("pci-root-uid", 256),
        ("pci-hole64-size", u64::MAX),
        ("reserved-memory-end", u64::MAX),
        ("below-4g-mem-size", 0xfec0_0000),
    ] {
        let properties = [list(), (name, PropertyValue::Number(value))];
        let refusal = configured(&properties).expect_err(name);
        assert!(refusal.contains(name), "{name}: {refusal}");
    }
}

/// The greatest of everything: the tables are long, and they are there.
#[test]
fn the_largest_machines_have_tables() {
    let full = (4..32).flat_map(|slot| (0..8).map(move |function| (slot, function)));
    let others = full.map(|(slot, function)| format!("any at {slot:02x}.{function:x}\n"));
    let list = CHIPSET.to_owned() + &others.collect::<String>();
    for legacy in [false, true] {
        let properties = [
            ("devices", PropertyValue::Text(list.clone())),
            ("smp-cpus", PropertyValue::Number(288)),
            ("max-cpus", PropertyValue::Number(288)),
            ("sockets", PropertyValue::Number(96)),
            ("cores", PropertyValue::Number(3)),
            ("above-4g-mem-size", PropertyValue::Number(1 << 52)),
            ("above-4g-mem-start", PropertyValue::Number(1 << 52)),
            ("pci-hole64-size", PropertyValue::Number(1 << 52)),
            ("legacy-cpu-hotplug", PropertyValue::Flag(legacy)),
        ];
        let mut bench = Bench::<FwCfg>::with(&properties);
        let (_, length) = directory(&mut bench)["etc/acpi/tables"];
        assert!((0x2_0000..=0x20_0000).contains(&length), "{length:#x}");
    }
}

/// The entry of the HPET follows the list, if there is one.
#[test]
fn the_list_knows_whether_there_is_an_hpet() {
    let count = |list: String| {
        let mut bench = Bench::<FwCfg>::with(&[("devices", PropertyValue::Text(list))]);
        entry(&mut bench, 0x8004, 1)[0]
    };
    assert_eq!(count(String::new()), 1);
    assert_eq!(count(CHIPSET.into()), 0xff);
    assert_eq!(count(format!("{CHIPSET}hpet\n")), 1);
}
