//! A state with a byte that is not as it was saved is refused, or it is legal.

#![allow(missing_docs, reason = "tests have no users")]

use ioapic::IoApic;
use southbridge_sdk::fake::{Bench, Structure, Value};
use southbridge_sdk::wit::Scope;

fn legal(_: &str, structure: &Structure) {
    let within = |field: &str, bits: u64| match structure.get(&[field]) {
        Some(Value::Unsigned(found)) => assert!(*found & !bits == 0, "{field} is {found:#x}"),
        other => panic!("{field} is {other:?}"),
    };
    within("id", 0x0f);
    within("irr", 0xff_ffff);
}

#[test]
fn qemus_state() {
    let sections = Bench::<IoApic>::new().save(Scope::Stream);
    let spoilt = Bench::<IoApic>::spoil(&[], Scope::Stream, &sections, legal);
    assert!(spoilt.refused > 0 && spoilt.taken > 500, "{spoilt:?}");
}

#[test]
fn the_whole_state() {
    let sections = Bench::<IoApic>::new().save(Scope::Whole);
    let spoilt = Bench::<IoApic>::spoil(&[], Scope::Whole, &sections, legal);
    assert!(spoilt.refused > 0 && spoilt.taken > 500, "{spoilt:?}");
}
