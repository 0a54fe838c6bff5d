//! A state with a byte that is not as it was saved is refused, or it is legal.

#![allow(missing_docs, reason = "tests have no users")]

use southbridge_sdk::fake::{Bench, Structure, Value};
use southbridge_sdk::wit::{Scope, Section};
use vmport::Vmport;

fn legal(name: &str, structure: &Structure) {
    assert_eq!(name, "vmmouse");
    let count = structure.get(&["nb_queue"]);
    assert!(matches!(count, Some(Value::Unsigned(0..=1024))), "{count:?}");
}

#[test]
fn qemus_state() {
    let data = include_bytes!("../../../tests/data/sections/reset/vmmouse.bin").to_vec();
    let sections = [Section { name: "vmmouse".into(), version: 0, data }];
    let spoilt = Bench::<Vmport>::spoil(&[], Scope::Stream, &sections, legal);
    assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
}
