//! Every state is legal: a register is all there is, and it holds any byte.

#![allow(missing_docs, reason = "tests have no users")]

use port92::Port92;
use southbridge_sdk::fake::Bench;
use southbridge_sdk::wit::{Scope, Section};

#[test]
fn qemus_state() {
    let data = include_bytes!("../../../tests/data/sections/poked/port92.bin").to_vec();
    let sections = [Section { name: "port92".into(), version: 1, data }];
    let spoilt = Bench::<Port92>::spoil(&[], Scope::Stream, &sections, |_, _| {});
    assert_eq!((spoilt.taken, spoilt.refused), (3, 0));
}
