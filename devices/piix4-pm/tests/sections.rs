//! The state is saved byte for byte as QEMU saves it, and loaded from there.

mod common;

use common::{Board, Overrides, data, no, section, text, yes};
use southbridge_sdk::fake::trace::{Request, Trace};
use southbridge_sdk::wit::{Scope, Section};

/// The formats of the section, each with the properties of its machines.
fn formats() -> [(&'static str, Vec<(&'static str, southbridge_sdk::wit::PropertyValue)>); 6] {
    const BRIDGES: &str = "acpi-pci-hotplug-with-bridge-support";
    const NO_INDEX: &str = "x-not-migrate-acpi-index";
    let pc = yes("smm-enabled");
    let compat = yes("smm-compat");
    let no_smbus = no("smbus-migration");
    let no_index = yes(NO_INDEX);
    [
        ("2.0", vec![pc.clone(), no_smbus.clone(), no_index.clone(), no("memory-hotplug-support")]),
        ("2.1", vec![pc.clone(), no_smbus.clone(), no_index.clone()]),
        ("4.0", vec![pc.clone(), no_index.clone()]),
        ("7.0", vec![pc]),
        ("xenfv-3.1", vec![compat.clone(), no_smbus, no_index.clone(), no(BRIDGES)]),
        ("xenfv-4.2", vec![compat, no_index, no(BRIDGES)]),
    ]
}

/// Runs a case's requests and compares everything that is saved, then loads it
/// into another board and saves it again.
fn check(case: &str, requests: &str, format: &str, properties: Overrides<'_>) {
    let mut board = Board::new(properties);
    let text = if requests.is_empty() { String::new() } else { text(requests) };
    for step in Trace::parse(&text).steps {
        let port = match step.request {
            Request::In { port, .. } | Request::Out { port, .. } => port,
            // Under Xen the recorder left out the steps of the clock.
            Request::ClockStep(_) if format.starts_with("xenfv") => continue,
            _ => 0,
        };
        // Other devices: DMA, PIT, keyboard, CMOS, port 92, ELCR.
        if matches!(port, 1..0xa0 | 0x4d0 | 0x4d1 | 0xcf9) {
            continue;
        }
        if let Some(Some(value)) = board.run(step.request, step.value) {
            assert_eq!(Some(value), step.value, "{case} {format}: line {}", step.line);
        }
    }
    compare(case, format, &mut board);

    let mut other = Board::unstarted(properties);
    other.bench.fake.now = board.bench.fake.now;
    let saved = board.bench.save(Scope::Stream);
    other.bench.load(Scope::Stream, saved).expect("QEMU's state is legal");
    for address in 0x50..0x58 {
        other.load_eeprom(address, Scope::Stream, board.save_eeprom(address, Scope::Stream));
    }
    // Without the targets QEMU, too, drops the transfer.
    let saved = board.bench.save(Scope::Stream);
    if saves_smbus(format) || section(&saved, "i2c_bus") == Some(&[0xff]) {
        compare(case, format, &mut other);
    }
}

fn saves_smbus(format: &str) -> bool {
    matches!(format, "4.0" | "7.0" | "xenfv-4.2")
}

fn compare(case: &str, format: &str, board: &mut Board) {
    let saved = board.bench.save(Scope::Stream);
    assert_eq!(saved.len(), 2);
    let expected = data(&format!("sections/{case}/piix4_pm-{format}.bin.gz"));
    same(&format!("{case} {format} piix4_pm"), section(&saved, "piix4_pm"), Some(&expected));
    let expected = data(&format!("sections/{case}/i2c_bus.bin"));
    same(&format!("{case} {format} i2c_bus"), section(&saved, "i2c_bus"), Some(&expected));
    for address in 0x50..0x58 {
        let used = match case {
            "smbus" => address < 0x53,
            "smbus-inflight" => address == 0x53,
            _ => false,
        };
        let expected = (used && saves_smbus(format))
            .then(|| data(&format!("sections/{case}/smbus-eeprom-{address:x}.bin")));
        let saved: Vec<Section> = board.save_eeprom(address, Scope::Stream);
        let what = format!("{case} {format} smbus-eeprom {address:#x}");
        same(&what, section(&saved, "smbus-eeprom"), expected.as_deref());
    }
}

/// Compares bytes and names the first that differs.
fn same(what: &str, found: Option<&[u8]>, expected: Option<&[u8]>) {
    let (Some(found), Some(expected)) = (found, expected) else {
        assert_eq!(found.is_some(), expected.is_some(), "{what}: saved or not");
        return;
    };
    let differs = found.iter().zip(expected).position(|(found, expected)| found != expected);
    assert_eq!(differs, None, "{what}: found {found:02x?}, expected {expected:02x?}");
    assert_eq!(found.len(), expected.len(), "{what}: length");
}

fn check_formats(case: &str, requests: &str, names: &[&str]) {
    for (format, properties) in formats() {
        if names.contains(&format) {
            check(case, requests, format, &properties);
        }
    }
}

const ALL: [&str; 6] = ["2.0", "2.1", "4.0", "7.0", "xenfv-3.1", "xenfv-4.2"];

#[test]
fn after_power_on() {
    check_formats("reset", "", &ALL);
}

#[test]
fn after_pokes() {
    check_formats("poked", "sections/poked/requests.trace", &ALL);
}

#[test]
fn after_transfers() {
    check_formats("smbus", "sections/smbus/requests.trace", &ALL);
}

#[test]
fn in_a_transfer() {
    check_formats("smbus-inflight", "sections/smbus-inflight/requests.trace", &ALL[1..]);
}

#[test]
fn before_a_transfer() {
    check_formats("smbus-pending", "sections/smbus-pending/requests.trace", &ALL[1..4]);
}

#[test]
fn with_modern_cpu_hot_plug() {
    check_formats("cpuhp", "sections/cpuhp/requests.trace", &ALL[1..4]);
}

#[test]
fn without_bridge_support() {
    for (format, mut properties) in formats() {
        if ALL[1..4].contains(&format) {
            properties.push(no("acpi-pci-hotplug-with-bridge-support"));
            check("nobridge", "sections/poked/requests.trace", format, &properties);
        }
    }
}
