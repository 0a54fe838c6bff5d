//! A state with a byte that is not as it was saved is refused, or it is legal.

#![allow(missing_docs, reason = "tests have no users")]

use kvmvapic::Kvmvapic;
use southbridge_sdk::fake::{Bench, Structure, Value};
use southbridge_sdk::wit::{Scope, Section};

fn legal(name: &str, structure: &Structure) {
    assert_eq!(name, "kvm-tpr-opt");
    let state = structure.get(&["state"]);
    assert!(matches!(state, Some(Value::Unsigned(0..=2))), "{state:?}");
}

#[test]
fn qemus_state() {
    let data = include_bytes!("../../../tests/data/sections/reset/kvm-tpr-opt.bin").to_vec();
    let sections = [Section { name: "kvm-tpr-opt".into(), version: 1, data }];
    let spoilt = Bench::<Kvmvapic>::spoil(&[], Scope::Stream, &sections, legal);
    assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
}
