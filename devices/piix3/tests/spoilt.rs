//! A state with a byte that is not as it was saved is refused, or it is legal.

#![allow(missing_docs, reason = "tests have no users")]

use piix3::Piix3;
use southbridge_sdk::fake::{Bench, Structure, Value};
use southbridge_sdk::wit::{Scope, Section};

fn section(name: &str, version: u32, data: &[u8]) -> Section {
    Section { name: name.into(), version, data: data.to_vec() }
}

macro_rules! golden {
    ($case:literal, $section:literal) => {
        include_bytes!(concat!("../../../tests/data/sections/", $case, "/", $section, ".bin"))
    };
}

/// Lines are low or high, and the reset control register has one bit that stays.
fn legal(_name: &str, structure: &Structure) {
    let Some(Value::List(levels)) = structure.get(&["pci_irq_levels_vmstate"]) else { panic!() };
    assert!(levels.iter().all(|level| matches!(level, Value::Signed(0 | 1))), "{levels:?}");
    let control = structure.get(&["PIIX3/rcr", "rcr"]);
    assert!(matches!(control, None | Some(Value::Unsigned(2))), "{control:?}");
}

#[test]
fn qemus_state() {
    for data in [&golden!("poked", "PIIX3")[..], golden!("full", "PIIX3")] {
        let sections = [section("PIIX3", 3, data)];
        let spoilt = Bench::<Piix3>::spoil(&[], Scope::Stream, &sections, legal);
        assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
    }
}

#[test]
fn the_whole_state() {
    let mut bench = Bench::<Piix3>::new();
    bench.line(1, true);
    bench.port_out(0x4d0, 2, 0x0ca8);
    let sections = bench.save(Scope::Whole);
    let spoilt = Bench::<Piix3>::spoil(&[], Scope::Whole, &sections, legal);
    assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
}
