//! What a machine takes over, changes and leaves out.

use super::{Components, GOOD, load};
use crate::machine::file::{
    Catalog, MachineType, MachineTypes, Parameters, PciAddress, Value, allocate,
};

fn good_and(more: &str) -> MachineTypes {
    load(&format!("{GOOD}{more}")).expect("the machine is right")
}

#[test]
fn a_child_takes_over_what_it_does_not_say() {
    let types = good_and("[machine.child]\ninherits = \"good\"\n");
    let (parent, child) = (types.get("good"), types.get("child"));
    let (parent, child) = (parent.expect("parent"), child.expect("child"));
    let json = |machine| serde_json::to_value(machine).expect("serializes");
    let (mut parent, child) = (json(parent), json(child));
    parent["name"] = "child".into();
    parent["aliases"] = Vec::<String>::new().into();
    assert_eq!(parent, child);
}

#[test]
fn a_child_changes_a_device_entry_by_entry() {
    let types = good_and(
        r#"
[machine.child]
inherits = "good"
description = "Another"
memory.split-at = 0x80000000
[machine.child.device.pm]
limits = { deadline-ms = 50, timers = 1000 }
properties = { level = 7, fast = false }
wires.sci = "pic:in"
[machine.child.device.bridge]
grants = ["power", "ram-windows"]
"#,
    );
    let machine = types.get("child").expect("child");
    let ids: Vec<&str> = machine.devices.iter().map(|device| device.id.as_str()).collect();
    assert_eq!(ids, ["bridge", "pic", "pm", "rom"]);
    let pm = serde_json::to_value(machine.device("pm")).expect("serializes");
    assert_eq!(pm["at"], "bridge/pci@01.3");
    assert_eq!(
        pm["properties"],
        serde_json::json!({ "cpus": { "machine": "cpus" }, "fast": false, "level": 7 })
    );
    assert_eq!(pm["wires"], serde_json::json!({ "sci": "pic:in", "smi": "cpu:smi" }));
    assert_eq!(pm["limits"], serde_json::json!({ "deadline-ms": 50, "timers": 1000 }));
    assert!(machine.to_string().contains("    limit deadline-ms = 50\n"));
    let bridge = serde_json::to_value(machine.device("bridge")).expect("serializes");
    assert_eq!(bridge["grants"], serde_json::json!(["power", "ram-windows"]));
    assert_eq!(machine.description, "Another");
    assert_eq!(machine.memory.split(1 << 32), (1 << 31, 1 << 31));
}

#[test]
fn a_device_can_be_removed_and_replaced() {
    let types = good_and(
        r#"
[machine.less]
inherits = "good"
remove = ["rom", "port"]
[machine.fixed]
inherits = "good"
remove = ["card"]
[machine.fixed.device.card]
component = "card"
at = "bridge/pci@1f.7"
"#,
    );
    let less = types.get("less").expect("less");
    assert!(less.device("rom").is_none());
    assert_eq!(less.optional.len(), 1);
    let fixed = types.get("fixed").expect("fixed");
    assert!(fixed.device("card").is_some());
    assert!(fixed.optional.iter().all(|entry| entry.id != "card"));
}

#[test]
fn properties_prevail_over_compat_and_compat_over_defaults() {
    let types = good_and(
        r#"
[machine.old]
inherits = "good"
compat = { "power.level" = 9, "power.fast" = false, "power.label" = "old" }
[machine.older]
inherits = "old"
compat = { "power.label" = "older" }
"#,
    );
    let components = Components::made_up();
    let power = components.component("power").expect("a component");
    let expected = [("good", true, "x"), ("old", false, "old"), ("older", false, "older")];
    for (name, fast, label) in expected {
        let machine = types.get(name).expect("the machine");
        let pm = machine.device("pm").expect("pm");
        let values = machine.values(pm, power, &Parameters::new(6, 1 << 20));
        let expected = [
            ("level", Value::Number(2)),
            ("cpus", Value::Number(6)),
            ("fast", Value::Flag(fast)),
            ("label", Value::Text(label.to_owned())),
        ];
        assert_eq!(values, expected.map(|(name, value)| (name.to_owned(), value)));
    }
}

#[test]
fn plugging_takes_the_first_choice_that_no_device_has() {
    let types = good_and("");
    let good = types.get("good").expect("good");
    let base = |machine: &MachineType, id| {
        let device = machine.device(id).expect("it was plugged");
        (device.properties["base"].value.to_string(), device.wires.contains_key("irq"))
    };
    let mut machine = good.clone();
    for id in ["com1", "com2"] {
        machine.plug("port", id, None).expect("it plugs");
    }
    assert_eq!(base(&machine, "com1"), ("8".to_owned(), true));
    assert_eq!(base(&machine, "com2"), ("9".to_owned(), false));
    machine.check(&Components::made_up()).expect("the machine fits");
    let full = machine.plug("port", "com3", None).expect_err("there are two");
    assert_eq!(
        full.to_string(),
        r#"pc.toml:22:24: machine.base.optional.port: all 2 choices of "port" are taken by other devices"#
    );

    let mut machine = good.clone();
    machine.plug("port", "com2", Some(1)).expect("it plugs");
    assert_eq!(base(&machine, "com2").0, "9");
    machine.plug("port", "com1", None).expect("it plugs");
    assert_eq!(base(&machine, "com1").0, "8");
}

#[test]
fn a_property_tells_of_the_devices_there_are() {
    let types = good_and(
        "[machine.any]\ninherits = \"good\"\n\
         device.pm.properties = { fast = { any = { base = 9 } } }\n",
    );
    let any = types.get("any").expect("any");
    let components = Components::made_up();
    let power = components.component("power").expect("a component");
    let fast = |machine: &MachineType| {
        let pm = machine.device("pm").expect("pm");
        let values = machine.values(pm, power, &Parameters::new(1, 1 << 20));
        values.into_iter().find(|(name, _)| name == "fast").map(|(_, value)| value)
    };
    let mut machine = any.clone();
    assert_eq!(fast(&machine), Some(Value::Flag(false)));
    machine.plug("port", "com1", None).expect("it plugs");
    assert_eq!(fast(&machine), Some(Value::Flag(false)));
    machine.plug("port", "com2", None).expect("it plugs");
    assert_eq!(fast(&machine), Some(Value::Flag(true)));
    machine.check(&components).expect("the machine fits");
}

#[test]
fn devices_without_an_address_get_the_next_free_slot() {
    let text = r#"
[machine.slots]
inherits = "good"
[machine.slots.device]
one = { component = "card", at = "bridge/pci" }
two = { component = "card", at = "bridge/pci@02.0" }
three = { component = "card", at = "bridge/pci@03.1" }
four = { component = "card", at = "bridge/pci" }
"#;
    let types = good_and(text);
    let mut machine = types.get("slots").expect("slots").clone();
    machine.assign_addresses().expect("there is room");
    let place = |id| {
        let at = machine.device(id).and_then(|device| device.at.as_ref());
        at.map(|at| at.value.to_string())
    };
    // Only a function 0 makes a slot taken, as in QEMU.
    assert_eq!(place("one").as_deref(), Some("bridge/pci@03.0"));
    assert_eq!(place("four").as_deref(), Some("bridge/pci@04.0"));
    machine.check(&Components::made_up()).expect("the machine fits");
}

#[test]
fn a_bus_has_room_for_31_slots() {
    let mut taken = std::collections::BTreeSet::new();
    for slot in 1..32 {
        let address = allocate(&taken).expect("there is room");
        assert_eq!(Some(address), PciAddress::new(slot, 0));
        taken.insert(address);
    }
    assert_eq!(allocate(&taken), None);

    let mut machine = good_and("").get("good").expect("good").clone();
    for n in 2..33 {
        machine.plug("card", &format!("card{n}"), None).expect("it plugs");
    }
    let error = machine.assign_addresses().expect_err("the bus is full");
    assert_eq!(
        error.to_string(),
        "pc.toml:28:1: machine.base.optional.card.at: no slot of bridge/pci is free"
    );
}

#[test]
fn a_user_file_inherits_from_and_replaces_what_is_known() {
    let mut types = MachineTypes::default();
    types.load("pc.toml", GOOD).expect("right");
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("mine.toml");
    std::fs::write(&path, "[machine.mine]\ninherits = \"good\"\n[machine.base]\nabstract = true\n")
        .expect("writes");
    // The new `base` lacks what the machines that inherit from it need.
    let error = types.load_file(&path).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "pc.toml:29:10: machine.good: the machine says and inherits no memory.max-ram-below-4g"
    );
    assert_eq!(types.iter().count(), 1, "nothing has changed");

    std::fs::write(&path, "[machine.mine]\ninherits = \"good\"\naliases = [\"m\"]\n")
        .expect("writes");
    types.load_file(&path).expect("right");
    assert_eq!(types.get("m").expect("mine").devices.len(), 4);
    assert_eq!(types.get("g").expect("good").name, "good");
}
