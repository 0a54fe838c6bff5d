//! What the program says machines save, beside what QEMU says.

use std::collections::BTreeSet;

use flate2::read::GzDecoder;
use serde_json::Value;

use super::program::{fail, succeed};

fn describe(arguments: &[&str]) -> Value {
    let text = succeed(&[&["state", "describe", "--machine"], arguments].concat());
    serde_json::from_str(&text).unwrap()
}

/// QEMU's dump of the devices that are here too.
fn qemu() -> Value {
    let bytes = include_bytes!("../data/dump-vmstate/qemu-7.2.json.gz");
    serde_json::from_reader(GzDecoder::new(&bytes[..])).unwrap()
}

/// A line for each structure, with its versions, and for each field, with its
/// size.
fn lines(description: &Value, path: &str, lines: &mut BTreeSet<String>) {
    let [version, oldest] = ["version_id", "minimum_version_id"].map(|key| &description[key]);
    let name = description["name"].as_str().unwrap();
    lines.insert(format!("{path}{name}: version {version}, {oldest} at least"));
    let path = format!("{path}{name}/");
    for field in description["Fields"].as_array().into_iter().flatten() {
        // QEMU writes the indices of elements in different ways.
        let field_name = field["field"].as_str().unwrap().split('[').next().unwrap();
        let size = field["size"].as_u64().unwrap();
        let here_only = field["condition"] == "not in QEMU's stream";
        // The other form of a configuration space, that of PCI Express; and a
        // size that QEMU leaves open.
        let elsewhere = (field_name, size) == ("config", 4096) || name == "Fifo8";
        if here_only || elsewhere && field_name != "head" && field_name != "num" {
            continue;
        }
        match &field["Description"] {
            Value::Null => _ = lines.insert(format!("{path}{field_name}: {size} bytes")),
            // QEMU's size is that of a C structure.
            inner => self::lines(inner, &format!("{path}{field_name}: "), lines),
        }
    }
    for subsection in description["Subsections"].as_array().into_iter().flatten() {
        self::lines(subsection, &path, lines);
    }
}

fn all(description: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    lines(&description["Description"], "", &mut found);
    found
}

#[test]
fn the_devices_save_what_qemu_says() {
    let qemu = qemu();
    for machine in ["xenfv-3.1", "xenfv-4.2", "pc-i440fx-4.2", "pc-i440fx-7.2"] {
        let ours = describe(&[machine]);
        assert_eq!(ours["vmschkmachine"]["Name"], machine);
        let mut compared = 0;
        for (key, theirs) in qemu.as_object().unwrap() {
            let Some(name) = theirs["Description"]["name"].as_str() else { continue };
            let Some(ours) = ours.get(name) else {
                assert!(key == "xen-platform" && machine.starts_with("pc"), "{machine}: no {name}");
                continue;
            };
            assert_eq!(ours["Name"], name);
            for key in ["version_id", "minimum_version_id"] {
                assert_eq!(ours[key], theirs[key], "{machine}: {name}");
            }
            let (ours, theirs) = (all(ours), all(theirs));
            let apart: Vec<_> = ours.symmetric_difference(&theirs).collect();
            assert!(apart.is_empty(), "{machine}: {name}: {apart:#?}");
            compared += theirs.len();
        }
        assert!(compared > 120, "{machine}: {compared} lines");
    }
}

#[test]
fn the_devices_are_configured_as_the_machine_has_them() {
    let described = describe(&["xenfv", "--cpus", "3"]);
    assert_eq!(described["vmschkmachine"]["Name"], "xenfv-3.1");
    let pm = &described["piix4_pm"];
    assert_eq!(pm["devices"][0]["id"], "pm");
    assert_eq!(pm["devices"][0]["properties"]["smbus-migration"], false);
    let fields = pm["Description"]["Fields"].as_array().unwrap();
    let smb = fields.iter().find(|field| field["field"] == "smb").unwrap();
    assert_eq!(
        (&smb["condition"], &smb["field_exists"]),
        (&"smbus-migration".into(), &true.into())
    );
    let subsections = pm["Description"]["Subsections"].as_array().unwrap();
    let cpuhp = subsections.iter().find(|part| part["name"] == "piix4_pm/cpuhp").unwrap();
    let devs = &cpuhp["Fields"][0]["Description"]["Fields"][2];
    assert_eq!((&devs["field"], &devs["count"]), (&"devs".into(), &3.into()));

    let described = describe(&["xenfv-4.2"]);
    assert_eq!(described["piix4_pm"]["devices"][0]["properties"]["smbus-migration"], true);
    assert_eq!(described["smbus-eeprom"]["devices"].as_array().unwrap().len(), 8);
}

#[test]
fn devices_that_save_alike_are_listed_together() {
    let described = describe(&["pc-i440fx-7.2", "--device", "isa-serial,id=com2"]);
    let devices = described["serial"]["devices"].as_array().unwrap();
    assert!(devices.iter().any(|device| device["id"] == "com2"), "{devices:?}");
    let line = fail(&["state", "describe", "--machine", "pc-i440fx-7.2", "--device", "none"]);
    assert!(line.contains("no optional device \"none\""), "{line}");
    let line = fail(&["state", "describe", "--machine", "xenfv-4.3"]);
    assert!(line.contains("nearest: xenfv-4.2"), "{line}");
}
