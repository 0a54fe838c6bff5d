//! Whole machines save what QEMU saves, byte for byte.

#[path = "../host/vmstate/tests/streams/data.rs"]
#[allow(dead_code, reason = "this test uses a part")]
mod streams;

mod common {
    pub(crate) mod data;
    pub(crate) mod driven;
    pub(crate) mod ground;
    pub(crate) mod held;
    pub(crate) mod monitor;
    pub(crate) mod plan;
    pub(crate) mod qmp_peer;
    pub(crate) mod recorded;
}

use std::collections::{BTreeMap, BTreeSet};

use common::data;
use common::recorded::Recorded;
use southbridge::component::{Scope, Section};
use southbridge::machine::SavedSlot;
use southbridge_sdk::fake::trace::{Request, Trace};
use streams::named;

/// Machine types, each with the name of its format of `piix4_pm`.
const FORMATS: [(&str, &str); 5] = [
    ("pc-i440fx-3.1", "2.1"),
    ("pc-i440fx-4.2", "4.0"),
    ("pc-i440fx-10.0", "7.0"),
    ("xenfv-3.1", "xenfv-3.1"),
    ("xenfv-4.2", "xenfv-4.2"),
];

/// What QEMU saved of a machine: the files of a case by section, as far as the machine's
/// stream has them.
fn golden(case: &str, machine_type: &str, format: &str) -> BTreeMap<String, Vec<u8>> {
    let (xen, newest) = (format.starts_with("xenfv"), machine_type == "pc-i440fx-10.0");
    let known = names(case, machine_type, xen);
    let directory = data::path(&format!("sections/{case}"));
    let files = std::fs::read_dir(&directory).expect("the case is there");
    let mut sections = BTreeMap::new();
    for file in files {
        let file = file.expect("readable").file_name().into_string().expect("plain names");
        let Some((stem, _)) = file.split_once(".bin") else { continue };
        let section = match stem.split_once('-') {
            Some(("piix4_pm", other)) if other != format => continue,
            Some(("piix4_pm", _)) => "piix4_pm",
            Some(("pckbd", _)) if !newest => continue,
            Some(("pckbd", _)) => "pckbd",
            None if stem == "pckbd" && newest => continue,
            Some(("PCIBUS", _)) if !xen => continue,
            Some(("PCIBUS", _)) => "PCIBUS",
            None if stem == "PCIBUS" && xen => continue,
            _ => stem,
        };
        let name = match section.rsplit_once('-') {
            // The number of one of several.
            Some((name, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => section,
        };
        if !known.contains(name) {
            continue;
        }
        let bytes = data::bytes(&format!("sections/{case}/{file}"));
        assert_eq!(sections.insert(section.to_owned(), bytes), None, "{file}");
    }
    sections
}

/// The names of the sections in the stream that QEMU saved of a machine.
fn names(case: &str, machine_type: &str, xen: bool) -> BTreeSet<&'static str> {
    let qemu = if machine_type == "pc-i440fx-10.0" { "10.0" } else { "7.2" };
    let kind = if xen { "xsds" } else { "bin" };
    let stream = named(&format!("qemu-{qemu}/{machine_type}/{case}.{kind}"));
    let sections = stream.decoded["sections"].as_array().expect("it was decoded");
    // Parts of memory have no name but in the first.
    let names = sections.iter().filter_map(|section| section["idstr"].as_str());
    names.map(|name| name.rsplit('/').next().unwrap_or(name)).collect()
}

/// What a machine saves, by the names of the files.
fn saved(machine: &Recorded) -> BTreeMap<String, Vec<u8>> {
    let slots = machine.machine.save(Scope::Stream).expect("no device is out of service");
    let sections = slots.into_iter().flat_map(|SavedSlot { slot, sections }| {
        let names: Vec<_> = sections.iter().map(|section| section.name.clone()).collect();
        let count = |names: &[String], name: &str| names.iter().filter(|n| *n == name).count();
        let named = move |(place, section): (usize, Section)| {
            let name = &section.name;
            match slot.strip_prefix("eeprom") {
                Some(number) => (format!("{name}-5{number}"), section.data),
                // Of several in one device: the number of the instance.
                None if count(&names, name) > 1 => {
                    (format!("{name}-{}", count(&names[..place], name)), section.data)
                }
                None => (section.name, section.data),
            }
        };
        sections.into_iter().enumerate().map(named)
    });
    sections.collect()
}

/// Runs a case's requests, and compares all sections that are in its directory.
fn check(case: &str, requests: Option<&str>, changes: &str, machines: &[&str]) {
    for (machine_type, format) in FORMATS {
        if !machines.contains(&machine_type) {
            continue;
        }
        // These machines were recorded without a serial port.
        let changes = format!("com1 = false\n{changes}");
        let mut machine = Recorded::new(machine_type, &changes);
        let text = requests.map(|case| data::text(&format!("sections/{case}/requests.trace")));
        let text = text.unwrap_or_default();
        for step in Trace::parse(&text).steps {
            // Under Xen the recorder left out the steps of the clock.
            let is_step = matches!(step.request, Request::ClockStep(_));
            if !(is_step && format.starts_with("xenfv")) {
                machine.perform(&step);
            }
        }
        let found = saved(&machine);
        let expected = golden(case, machine_type, format);
        assert!(expected.contains_key("piix4_pm") || expected.contains_key("platform"));
        for (section, expected) in &expected {
            let what = format!("{case}, {machine_type}, {section}");
            let found = found.get(section).unwrap_or_else(|| panic!("{what}: not saved"));
            if let Some(at) = found.iter().zip(expected).position(|(a, b)| a != b) {
                let (found, expected) = (found[at], expected[at]);
                panic!("{what}, offset {at:#x}: {found:#04x} found, {expected:#04x} expected");
            }
            assert_eq!(found.len(), expected.len(), "{what}: length");
        }
        // An EEPROM is saved only if the guest has used it.
        let eeproms = |sections: &BTreeMap<String, Vec<u8>>| {
            let eeproms = sections.keys().filter(|name| name.starts_with("smbus-eeprom"));
            eeproms.cloned().collect::<Vec<_>>()
        };
        assert_eq!(eeproms(&found), eeproms(&expected), "{case}, {machine_type}");
        let saves_address = machine_type == "pc-i440fx-10.0";
        assert_eq!(found.contains_key("PCIHost"), saves_address, "{machine_type}");
    }
}

const PC: [&str; 3] = ["pc-i440fx-3.1", "pc-i440fx-4.2", "pc-i440fx-10.0"];
const XEN: [&str; 2] = ["xenfv-3.1", "xenfv-4.2"];
const ALL: [&str; 5] =
    ["pc-i440fx-3.1", "pc-i440fx-4.2", "pc-i440fx-10.0", "xenfv-3.1", "xenfv-4.2"];

#[test]
fn after_power_on() {
    check("reset", None, "", &ALL);
}

#[test]
fn after_pokes() {
    check("poked", Some("poked"), "", &ALL);
}

#[test]
fn after_transfers() {
    check("smbus", Some("smbus"), "", &ALL);
}

#[test]
fn in_a_transfer() {
    check("smbus-inflight", Some("smbus-inflight"), "", &ALL);
}

#[test]
fn before_a_transfer() {
    check("smbus-pending", Some("smbus-pending"), "", &PC);
}

#[test]
fn with_modern_cpu_hot_plug() {
    check("cpuhp", Some("cpuhp"), "", &PC);
}

#[test]
fn without_bridge_support() {
    check("nobridge", Some("poked"), "acpi-pci-hotplug-with-bridge-support = false", &PC);
}

#[test]
fn after_a_guest_has_used_the_platform_device() {
    check("platform", Some("platform"), "", &XEN);
}
