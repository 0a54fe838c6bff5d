//! A state with a byte that is not as it was saved is refused, or it is legal.

#![allow(missing_docs, reason = "tests have no users")]

use i8042::I8042;
use southbridge_sdk::fake::{Bench, Structure, Value};
use southbridge_sdk::wit::{PropertyValue, Scope, Section};

fn section(name: &str, version: u32, data: &[u8]) -> Section {
    Section { name: name.into(), version, data: data.to_vec() }
}

macro_rules! golden {
    ($case:literal, $section:literal) => {
        include_bytes!(concat!("../../../tests/data/sections/", $case, "/", $section, ".bin"))
    };
}

/// Truth values are 0 or 1, positions and counts within the queues, and there are
/// three sets of scan codes and four sources of a byte.
fn legal(name: &str, structure: &Structure) {
    let within = |path: &[&str], legal: std::ops::RangeInclusive<i64>| {
        let found = match structure.get(path) {
            Some(Value::Signed(found)) => *found,
            Some(Value::Unsigned(found)) => *found as i64,
            None => return,
            Some(other) => panic!("{path:?} is {other:?}"),
        };
        assert!(legal.contains(&found), "{path:?} is {found}");
    };
    if name == "pckbd" {
        let source = structure.get(&["kbd", "pckbd/extended_state", "obsrc"]);
        let known = matches!(source, None | Some(Value::Unsigned(0 | 1 | 2 | 4)));
        assert!(known, "{source:?}");
        return;
    }
    assert!(structure.get(&["parent_obj", "queue.count"]).is_some(), "{name}");
    for position in ["queue.rptr", "queue.wptr"] {
        within(&["parent_obj", position], 0..=255);
    }
    within(&["parent_obj", "queue.count"], 0..=256);
    within(&["ps2kbd/command_reply_queue", "parent_obj.queue.cwptr"], -1..=255);
    within(&["scan_enabled"], 0..=1);
    within(&["translate"], 0..=1);
    within(&["scancode_set"], 1..=3);
}

fn spoil(scope: Scope, sections: &[Section], extended: bool) {
    let properties = [("extended-state", PropertyValue::Flag(extended))];
    let spoilt = Bench::<I8042>::spoil(&properties, scope, sections, legal);
    assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
}

#[test]
fn qemus_state() {
    let sections = |controller| {
        [
            section("ps2kbd", 3, golden!("poked", "ps2kbd")),
            section("ps2mouse", 2, golden!("poked", "ps2mouse")),
            section("pckbd", 3, controller),
        ]
    };
    spoil(Scope::Stream, &sections(golden!("poked", "pckbd-6.1")), true);
    spoil(Scope::Stream, &sections(golden!("poked", "pckbd")), false);
}

#[test]
fn the_whole_state() {
    spoil(Scope::Whole, &Bench::<I8042>::new().save(Scope::Whole), true);
}
