//! The built-in machines, against a table that states QEMU's versions the
//! other way round: by property instead of by machine.

use std::collections::BTreeMap;

use toml_edit::{Document, Item};

use super::{Components, value};
use crate::machine::file::{
    Catalog, DeviceEntry, MachineType, MachineTypes, Migration, Parameters, Value,
};

const COMPONENTS: &str = include_str!("components.toml");
const VERSIONS: &str = include_str!("versions.toml");

fn builtin() -> MachineTypes {
    MachineTypes::builtin().expect("the built-in machine files are right")
}

/// The device of that id, or the optional one.
fn device<'m>(machine: &'m MachineType, id: &str) -> Option<&'m DeviceEntry> {
    machine.devices.iter().chain(&machine.optional).find(|device| device.id == id)
}

/// The values that the device of that id is configured with.
fn values(machine: &MachineType, id: &str) -> BTreeMap<String, Value> {
    let components = Components::new(COMPONENTS);
    let device = device(machine, id).expect("the device is there");
    let described = components.component(&device.component.value).expect("a component");
    machine.values(device, described, &Parameters::new(3, 16 << 20)).into_iter().collect()
}

fn assert_values(machine: &MachineType, expected: &Item) {
    for (path, expected) in expected.as_table_like().expect("a table").iter() {
        let (id, property) = path.split_once('.').expect("device.property");
        assert_eq!(
            values(machine, id).get(property),
            Some(&value(expected)),
            "{}: {path}",
            machine.name
        );
    }
}

fn assert_places(machine: &MachineType, expected: &Item) {
    for (id, place) in expected.as_table_like().expect("a table").iter() {
        let at = &machine.device(id).expect("the device is there").at;
        let at = at.as_ref().map(|at| at.value.to_string());
        assert_eq!(at.as_deref(), place.as_str(), "{}: {id}", machine.name);
    }
}

fn strings(item: &Item) -> Vec<&str> {
    let values = item.as_array().into_iter().flatten();
    values.map(|value| value.as_str().expect("a string")).collect()
}

/// Each machine that is to exist, and the position of its version.
fn machines(table: &Item) -> BTreeMap<String, usize> {
    let versions = strings(&table["versions"]);
    let prefix = table["prefix"].as_str().expect("a string");
    let position = |version: &str| versions.iter().position(|other| *other == version);
    let family = versions.iter().enumerate().map(|(n, version)| (format!("{prefix}{version}"), n));
    let twins = table["twins"].as_table_like().expect("a table");
    let twins = twins.iter().map(|(name, version)| {
        let version = version.as_str().and_then(position);
        (name.to_owned(), version.expect("a known version"))
    });
    family.chain(twins).collect()
}

#[test]
fn the_machines_are_those_of_qemu_in_natural_order() {
    let table = Document::parse(VERSIONS).expect("valid TOML");
    let expected = machines(table.as_item());
    let types = builtin();
    let names: Vec<&str> = types.iter().map(|machine| machine.name.as_str()).collect();
    assert_eq!(names.len(), expected.len());
    assert!(names.iter().all(|name| expected.contains_key(*name)));
    let family = &names[..strings(&table["versions"]).len()];
    let order: Vec<usize> = family.iter().map(|name| expected[*name]).collect();
    assert!(order.is_sorted(), "{names:?}");
}

#[test]
fn every_machine_fits_the_components() {
    let components = Components::new(COMPONENTS);
    for machine in builtin().iter() {
        machine.check(&components).expect("the machine fits");
    }
}

#[test]
fn every_version_has_the_properties_it_has_in_qemu() {
    let table = Document::parse(VERSIONS).expect("valid TOML");
    let table = table.as_item();
    let versions = strings(&table["versions"]);
    let position = |item: &Item| {
        let version = item.as_str().expect("a version");
        versions.iter().position(|other| *other == version).expect("a known version")
    };
    let twins = table["twins"].as_table_like().expect("a table");
    let types = builtin();
    for (name, version) in machines(table) {
        let machine = types.get(&name).expect("the machine is there");
        let changes = table["change"].as_array().expect("an array");
        for change in changes.iter().map(|change| Item::Value(change.clone())) {
            let old = version <= position(&change["until"]);
            let expected = value(&change[if old { "old" } else { "new" }]);
            let property = change["property"].as_str().expect("a string");
            let id = change["device"].as_str().expect("a string");
            // The machines of Xen lack what Xen itself has.
            if twins.contains_key(&name) && device(machine, id).is_none() {
                continue;
            }
            let values = values(machine, id);
            assert_eq!(values.get(property), Some(&expected), "{name}: {property}");
        }
        if twins.contains_key(&name) {
            continue;
        }
        let since = |part: &str| version >= position(&table["since"][part]);
        let expected = Migration {
            send_configuration: since("send-configuration"),
            send_section_footer: since("send-section-footer"),
            store_global_state: since("store-global-state"),
            suppress_vmdesc: !since("suppress-vmdesc"),
            send_switchover_start: since("send-switchover-start"),
            vga_global_vmstate: !since("vga-global-vmstate"),
            save_tsc_khz: since("save-tsc-khz"),
            reliable_get_clock: since("reliable-get-clock"),
        };
        assert_eq!(machine.migration, expected, "{name}");
    }
}

#[test]
fn no_machine_changes_more_than_the_table_says() {
    let table = Document::parse(VERSIONS).expect("valid TOML");
    let table = table.as_item();
    let changes = table["change"].as_array().expect("an array");
    let known = |machine: &MachineType, component: &str, property: &str| {
        changes.iter().map(|change| Item::Value(change.clone())).any(|change| {
            let device = change["device"].as_str().and_then(|id| device(machine, id));
            change["property"].as_str() == Some(property)
                && device.is_some_and(|device| device.component.value == component)
        })
    };
    for machine in builtin().iter() {
        for (component, properties) in &machine.compat {
            for property in properties.keys() {
                assert!(known(machine, component, property), "{component}.{property}");
            }
        }
    }
}

#[test]
fn the_family_has_the_same_devices_in_the_same_places() {
    let table = Document::parse(VERSIONS).expect("valid TOML");
    let prefix = table["prefix"].as_str().expect("a string");
    for machine in builtin().iter() {
        assert_places(machine, &table["places"]);
        if !machine.name.starts_with(prefix) {
            continue;
        }
        assert_values(machine, &table["same"]);
        for (path, target) in table["wires"].as_table_like().expect("a table").iter() {
            let (id, line) = path.split_once('.').expect("device.line");
            let wire = &machine.device(id).expect("the device is there").wires[line];
            assert_eq!(Some(wire.value.to_string().as_str()), target.as_str(), "{path}");
        }
        assert_eq!(machine.memory.split(0xdfff_f000), (0xdfff_f000, 0));
        assert_eq!(machine.memory.split(0xe000_0000), (0xc000_0000, 0x2000_0000));
    }
}

#[test]
fn the_machines_of_xen_differ_from_their_version_as_in_qemu() {
    let table = Document::parse(VERSIONS).expect("valid TOML");
    let types = builtin();
    for (name, _) in table["twins"].as_table_like().expect("a table").iter() {
        let mut machine = types.get(name).expect("the machine is there").clone();
        machine.assign_addresses().expect("there is room");
        assert_values(&machine, &table["xen"]);
        assert_places(&machine, &table["xen-places"]);
        let migration = machine.migration;
        assert!(!migration.send_configuration && !migration.send_section_footer);
        assert!(!migration.store_global_state && migration.suppress_vmdesc);
        assert_eq!(machine.memory.split(1 << 33), (0xf000_0000, (1 << 33) - 0xf000_0000));
    }
}

#[test]
fn optional_devices_plug_into_every_machine() {
    let table = Document::parse(VERSIONS).expect("valid TOML");
    let components = Components::new(COMPONENTS);
    for machine in builtin().iter() {
        let mut all = machine.clone();
        for template in &machine.optional {
            all.plug(&template.id, &template.id, None).expect("it plugs");
            if let Some(changed) = table["optional"].get(&template.id) {
                assert_values(&all, changed);
            }
        }
        all.assign_addresses().expect("there is room");
        all.check(&components).expect("the machine fits");
        assert_places(&all, &table["xen-places"]);
    }
}

#[test]
fn aliases_name_what_they_name_in_qemu_10() {
    let table = Document::parse(VERSIONS).expect("valid TOML");
    let expected = table["aliases"].as_table_like().expect("a table");
    let types = builtin();
    for (alias, name) in expected.iter() {
        let machine = types.get(alias).expect("an alias");
        assert_eq!(Some(machine.name.as_str()), name.as_str());
    }
    let count: usize = types.iter().map(|machine| machine.aliases.len()).sum();
    assert_eq!(count, expected.len());
}
