//! Machine types as text: for people, as JSON, and in their order.

use super::{GOOD, load};
use crate::machine::file::names::natural;

#[test]
fn a_list_has_a_line_for_each_machine() {
    let text = format!(
        "{GOOD}[machine.good-10]\ninherits = \"base\"\n[machine.good-9]\ninherits = \"base\"\n"
    );
    let types = load(&text).expect("right");
    assert_eq!(
        types.to_string(),
        "good     A machine (alias g)\ngood-9   A machine\ngood-10  A machine\n"
    );
    let json = serde_json::to_value(&types).expect("serializes");
    assert_eq!(json[2]["name"], "good-10");
}

#[test]
fn a_machine_is_shown_with_all_it_has() {
    let text = format!("{GOOD}compat = {{ \"power.fast\" = false, \"rom.size\" = 128 }}\n");
    let types = load(&text).expect("right");
    let machine = types.get("g").expect("good");
    assert_eq!(
        machine.to_string(),
        "\
good: A machine
aliases: g
memory: 0xe0000000 bytes of RAM or more are split at 0xc0000000
bridge: north
    out -> pic:in
    may use pci-bus
pic: south at bridge/pci@01.0
    irq -> gsi:5
pm: power at bridge/pci@01.3
    cpus = { machine = \"cpus\" }
    fast = false
    level = 2
    sci -> gsi:9
    smi -> cpu:smi
rom: rom at pm/bus@0x50
    size = 0x80
optional port: port
    data -> stream port1
    choice 0: base = 8, irq -> gsi:4
    choice 1: base = 9
optional card: card at bridge/pci
"
    );
}

#[test]
fn a_machine_as_json_has_no_positions() {
    let types = load(GOOD).expect("right");
    let json = serde_json::to_value(types.get("good").expect("good")).expect("serializes");
    assert_eq!(
        json["devices"][1],
        serde_json::json!({
            "id": "pic",
            "component": "south",
            "at": "bridge/pci@01.0",
            "properties": {},
            "grants": [],
            "wires": { "irq": "gsi:5" },
            "streams": {},
        })
    );
    assert_eq!(json["memory"]["max-ram-below-4g"], 0xe000_0000_u64);
    assert_eq!(json["migration"]["send-section-footer"], true);
    assert_eq!(json["optional"][0]["choices"][0]["properties"]["base"], 8);
}

#[test]
fn numbers_in_names_count_as_numbers() {
    let mut names = ["a-10.0", "a-2.12", "a", "b", "a-2.4", "a-02.4", "a-2", "a-2.4-x", "9"];
    names.sort_by(|a, b| natural(a, b));
    assert_eq!(names, ["9", "a", "a-2", "a-02.4", "a-2.4", "a-2.4-x", "a-2.12", "a-10.0", "b"]);
}
