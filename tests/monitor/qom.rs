use std::collections::BTreeMap;

use serde_json::{Value, json};
use southbridge::control::monitor::{Error, qom_get, qom_list};

use super::rig::{Rig, compare_with_own};
use crate::common::data;

fn get(rig: &Rig, path: &str, property: &str) -> Value {
    qom_get(&rig.guest, path, property).unwrap_or_else(|error| panic!("{path}.{property}: {error}"))
}

#[test]
fn the_machine_says_its_type() {
    for (name, kind) in [
        ("xenfv", "xenfv-3.1-machine"),
        ("xenfv-4.2", "xenfv-4.2-machine"),
        ("pc-i440fx-7.2", "pc-i440fx-7.2-machine"),
    ] {
        assert_eq!(get(&Rig::plain(name), "/machine", "type"), kind);
    }
}

#[test]
fn the_machine_has_the_properties_that_are_true_here() {
    let rig = Rig::plain("xenfv-4.2");
    assert_eq!(get(&rig, "/machine", "memory"), json!({ "size": 16 << 20 }));
    let smp = json!({
        "cpus": 1, "maxcpus": 1, "threads": 1, "cores": 1, "dies": 1, "sockets": 1, "clusters": 1,
    });
    assert_eq!(get(&rig, "/machine", "smp"), smp);
    assert_eq!(get(&rig, "/machine", "suppress-vmdesc"), true);
    assert_eq!(get(&rig, "/machine", "max-ram-below-4g"), 0xf000_0000_u64);
    assert_eq!(get(&rig, "/machine", "smm"), "off");
    let unknown = qom_get(&rig.guest, "/machine", "accel").unwrap_err();
    assert_eq!(unknown.to_string(), "Property 'xenfv-4.2-machine.accel' not found");
}

#[test]
fn what_was_asked_for_is_found_by_its_id() {
    let rig = Rig::with_devices();
    for path in
        ["/machine/peripheral/com2", "com2", "peripheral/com2", "//machine/peripheral/com2/"]
    {
        assert_eq!(get(&rig, path, "iobase"), 0x2f8, "{path}");
    }
    assert_eq!(get(&rig, "com2", "parent_bus"), "/machine/unattached/device[3]/isa.0");
    assert_eq!(get(&rig, "/machine/peripheral-anon/device[0]", "type"), "isa-debug-exit");
    assert_eq!(get(&rig, "/machine", "peripheral"), "/machine/peripheral");
    assert_eq!(get(&rig, "machine/peripheral", "com2"), "/machine/peripheral/com2");
}

/// QEMU makes the bus of the task priority with the first processor.
#[test]
fn processors_have_qemus_numbers() {
    for (machine, cpus, other) in
        [("pc-i440fx-7.2", [0, 2, 3], (1, "kvmvapic")), ("xenfv-4.2", [0, 1, 2], (3, "i440FX"))]
    {
        let rig = Rig::with_cpus(machine, 3);
        let kind =
            |number: u32| get(&rig, &format!("/machine/unattached/device[{number}]"), "type");
        assert!(cpus.into_iter().all(|cpu| kind(cpu) == "host-x86_64-cpu"), "{machine}");
        assert_eq!(kind(other.0), other.1, "{machine}");
    }
}

#[test]
fn links_lead_to_devices() {
    let rig = Rig::with_devices();
    assert_eq!(get(&rig, "/machine/i440fx/pci.0", "child[1]"), "/machine/unattached/device[3]");
    assert_eq!(get(&rig, "pci.0/child[1]", "type"), "PIIX3");
    assert_eq!(get(&rig, "pci.0/child[1]", "addr"), 8);
    assert_eq!(get(&rig, "com2/parent_bus/child[0]", "type"), "i8257");
    assert_eq!(get(&rig, "i2c/child[0]/parent_bus", "type"), "i2c-bus");
}

#[test]
fn errors_are_qemus() {
    let rig = Rig::with_devices();
    let list = |path: &str| qom_list(&rig.guest, path).unwrap_err();
    assert_eq!(list("/nope"), Error::NoObject("/nope".into()));
    assert_eq!(list("/machine/nope/x"), Error::NoObject("/machine/nope/x".into()));
    assert_eq!(list("type"), Error::NoObject("type".into()));
    assert_eq!(list(""), Error::Ambiguous(String::new()));
    assert_eq!(list("device[0]"), Error::Ambiguous("device[0]".into()));
    let nowhere = qom_get(&rig.guest, "device[0]", "type").unwrap_err();
    assert_eq!(nowhere.to_string(), "Device 'device[0]' not found");
}

#[test]
fn every_property_that_is_listed_can_be_read() {
    let rig = Rig::with_devices();
    let mut paths = vec!["/".to_owned()];
    let mut read = 0;
    while let Some(path) = paths.pop() {
        for info in qom_list(&rig.guest, &path).unwrap() {
            let value = get(&rig, &path, &info.name);
            if info.kind.starts_with("child<") {
                let path = value.as_str().unwrap();
                let kind = get(&rig, path, "type");
                assert_eq!(info.kind, format!("child<{}>", kind.as_str().unwrap()));
                paths.push(path.to_owned());
            } else if info.kind.starts_with("link<") {
                assert!(qom_list(&rig.guest, value.as_str().unwrap()).is_ok(), "{value}");
            }
            read += 1;
        }
    }
    assert!(read > 200, "{read}");
}

/// The types of objects by path.
fn kinds(text: &str) -> BTreeMap<String, String> {
    let mut above: Vec<&str> = Vec::new();
    let mut kinds = BTreeMap::new();
    for line in text.lines() {
        let trimmed = line.trim_start();
        above.truncate((line.len() - trimmed.len()) / 2);
        let (name, kind) = trimmed.split_once(" (").unwrap();
        above.push(name);
        kinds.insert(above.concat(), kind.trim_end_matches(')').to_owned());
    }
    kinds
}

#[test]
fn objects_are_where_they_are_in_qemu() {
    let own = kinds(&Rig::with_devices().human("info qom-tree"));
    let recorded = kinds(&data::text("monitor/reset/info-qom-tree.txt"));
    for (path, kind) in &own {
        // Regions have names of their own, and QEMU's recorded processor is another.
        let differs = kind == "memory-region" || kind.ends_with("-cpu");
        assert!(differs || recorded.get(path) == Some(kind), "{path} ({kind})");
    }
    // Every device of QEMU's that has no name is there, and no other.
    let is_device = |path: &&String| {
        let (container, name) = path.rsplit_once('/').unwrap_or_default();
        container.ends_with("/unattached") && name.starts_with("device[")
    };
    let devices = own.keys().filter(is_device);
    assert!(devices.eq(recorded.keys().filter(is_device)));
}

#[test]
fn the_text_is_as_it_was() {
    let own = Rig::with_devices().human("info qom-tree");
    compare_with_own(&own, "info-qom-tree.txt");
    let part = Rig::with_devices().human("info qom-tree /machine/peripheral");
    assert_eq!(
        part,
        "/peripheral (container)\n  /com2 (isa-serial)\n    /registers[0] (memory-region)\n"
    );
}
