//! A state with a byte that is not as it was saved is refused, or it is legal.

#![allow(missing_docs, reason = "tests have no users")]

use i8257::I8257;
use southbridge_sdk::fake::{Bench, Structure, Value};
use southbridge_sdk::wit::{Scope, Section};

fn legal(name: &str, structure: &Structure) {
    assert_eq!(name, "dma");
    assert!(matches!(structure.get(&["flip_flop"]), Some(Value::Unsigned(0 | 1))));
    assert!(matches!(structure.get(&["dshift"]), Some(Value::Signed(0 | 1))));
}

#[test]
fn qemus_state() {
    let section = |data: &[u8]| Section { name: "dma".into(), version: 1, data: data.to_vec() };
    let sections = [
        section(include_bytes!("../../../tests/data/sections/poked/dma-0.bin")),
        section(include_bytes!("../../../tests/data/sections/poked/dma-1.bin")),
    ];
    let spoilt = Bench::<I8257>::spoil(&[], Scope::Stream, &sections, legal);
    assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
}

#[test]
fn the_whole_state() {
    let sections = Bench::<I8257>::new().save(Scope::Whole);
    let spoilt = Bench::<I8257>::spoil(&[], Scope::Whole, &sections, legal);
    assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
}
