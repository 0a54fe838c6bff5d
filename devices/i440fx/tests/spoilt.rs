//! A state with a byte that is not as it was saved is refused, or it is legal.

#![allow(missing_docs, reason = "tests have no users")]

use i440fx::I440fx;
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

/// The bus has as many lines as it was made with, and counts no pin twice.
fn legal(lines: i64) -> impl Fn(&str, &Structure) {
    move |name, structure| {
        if name == "PCIBUS" {
            assert_eq!(structure.get(&["nirq"]), Some(&Value::Signed(lines)));
            let Some(Value::List(counts)) = structure.get(&["irq_count"]) else { panic!() };
            assert_eq!(counts.len() as i64, lines);
            let pins = 0..=128;
            let legal = |count: &Value| matches!(count, Value::Signed(n) if pins.contains(n));
            assert!(counts.iter().all(legal), "{counts:?}");
        }
    }
}

fn lines(count: u64) -> [(&'static str, PropertyValue); 1] {
    [("interrupt-lines", PropertyValue::Number(count))]
}

#[test]
fn qemus_state() {
    let sections = |bus: &[u8]| {
        [
            section("PCIHost", 1, golden!("poked", "PCIHost")),
            section("PCIBUS", 1, bus),
            section("I440FX", 3, golden!("poked", "I440FX")),
        ]
    };
    let pc = sections(golden!("full", "PCIBUS"));
    let spoilt = Bench::<I440fx>::spoil(&lines(4), Scope::Stream, &pc, legal(4));
    assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
    let xen = sections(golden!("poked", "PCIBUS-xen"));
    let spoilt = Bench::<I440fx>::spoil(&lines(128), Scope::Stream, &xen, legal(128));
    assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
}

#[test]
fn the_whole_state() {
    let mut bench = Bench::<I440fx>::new();
    bench.line(13, true);
    let sections = bench.save(Scope::Whole);
    let spoilt = Bench::<I440fx>::spoil(&lines(4), Scope::Whole, &sections, legal(4));
    assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
}
