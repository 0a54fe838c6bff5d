//! A state with a byte that is not as it was saved is refused, or it is legal.

#![allow(missing_docs, reason = "tests have no users")]

use i8254::I8254;
use southbridge_sdk::fake::{Bench, Structure, Value};
use southbridge_sdk::wit::{Scope, Section};

macro_rules! golden {
    ($section:literal) => {
        include_bytes!(concat!("../../../tests/data/sections/poked/", $section, ".bin"))
    };
}

fn legal(name: &str, structure: &Structure) {
    let within = |path: &[&str], largest: u64| match structure.get(path) {
        Some(Value::Unsigned(found)) => assert!(*found <= largest, "{path:?} is {found}"),
        other => panic!("{path:?} is {other:?}"),
    };
    if name == "pcspk" {
        within(&["data_on"], 1);
        within(&["dummy_refresh_clock"], 0x10);
    } else {
        within(&["channels[0].irq_disabled"], 1);
    }
}

#[test]
fn qemus_state() {
    let section = |name: &str, version, data: &[u8]| Section {
        name: name.into(),
        version,
        data: data.to_vec(),
    };
    let sections = [section("i8254", 3, golden!("i8254")), section("pcspk", 1, golden!("pcspk"))];
    let spoilt = Bench::<I8254>::spoil(&[], Scope::Stream, &sections, legal);
    assert!(spoilt.refused > 50 && spoilt.taken > 50, "{spoilt:?}");
}

#[test]
fn the_whole_state() {
    let sections = Bench::<I8254>::new().save(Scope::Whole);
    let spoilt = Bench::<I8254>::spoil(&[], Scope::Whole, &sections, legal);
    assert!(spoilt.refused > 50 && spoilt.taken > 50, "{spoilt:?}");
}
