//! A state with a byte that is not as it was saved is refused, or it is legal.

#![allow(missing_docs, reason = "tests have no users")]

use i8259::I8259;
use southbridge_sdk::fake::{Bench, Structure, Value};
use southbridge_sdk::wit::{Scope, Section};

macro_rules! golden {
    ($section:literal) => {
        include_bytes!(concat!("../../../tests/data/sections/poked/", $section, ".bin"))
    };
}

fn legal(_: &str, structure: &Structure) {
    let within = |field: &str, bits: u64| match structure.get(&[field]) {
        Some(Value::Unsigned(found)) => assert!(*found & !bits == 0, "{field} is {found:#x}"),
        other => panic!("{field} is {other:?}"),
    };
    within("priority_add", 7);
    within("irq_base", 0xf8);
    within("init_state", 3);
    within("single_mode", 2);
    for flag in ["read_reg_select", "poll", "special_mask", "auto_eoi", "rotate_on_auto_eoi"] {
        within(flag, 1);
    }
    within("special_fully_nested_mode", 1);
    within("init4", 1);
}

#[test]
fn qemus_state() {
    let section = |data: &[u8]| Section { name: "i8259".into(), version: 1, data: data.to_vec() };
    let sections = [section(golden!("i8259-0")), section(golden!("i8259-1"))];
    let spoilt = Bench::<I8259>::spoil(&[], Scope::Stream, &sections, legal);
    assert!(spoilt.refused > 20 && spoilt.taken > 20, "{spoilt:?}");
}

#[test]
fn the_whole_state() {
    let sections = Bench::<I8259>::new().save(Scope::Whole);
    let spoilt = Bench::<I8259>::spoil(&[], Scope::Whole, &sections, legal);
    assert!(spoilt.refused > 20 && spoilt.taken > 20, "{spoilt:?}");
}
