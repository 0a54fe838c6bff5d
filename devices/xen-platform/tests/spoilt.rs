//! A state with a byte that is not as it was saved is refused, or it is legal.

#![allow(missing_docs, reason = "tests have no users")]

use southbridge_sdk::fake::{Bench, Structure, Value};
use southbridge_sdk::wit::{Scope, Section};
use xen_platform::XenPlatform;

fn section(name: &str, version: u32, data: &[u8]) -> Section {
    Section { name: name.into(), version, data: data.to_vec() }
}

macro_rules! golden {
    ($case:literal, $section:literal) => {
        include_bytes!(concat!("../../../tests/data/sections/", $case, "/", $section, ".bin"))
    };
}

/// Of the flags one can be set: the lock of the option ROM.
fn legal(_name: &str, structure: &Structure) {
    let flags = structure.get(&["flags"]);
    assert!(matches!(flags, Some(Value::Unsigned(0 | 1))), "{flags:?}");
}

#[test]
fn qemus_state() {
    let sections = [section("platform", 4, golden!("platform", "platform"))];
    let spoilt = Bench::<XenPlatform>::spoil(&[], Scope::Stream, &sections, legal);
    assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
}

#[test]
fn a_base_address_that_decodes_something_else() {
    let configuration = 4;
    for (at, found) in [(0x10, 0x00), (0x10, 0x09), (0x14, 0x09), (0x15, 0x01), (0x16, 0x80)] {
        let mut sections = [section("platform", 4, golden!("platform", "platform"))];
        sections[0].data[configuration + at] = found;
        let mut bench = Bench::<XenPlatform>::configured(&[]);
        let refusal = bench.load(Scope::Stream, sections.to_vec()).expect_err("refused");
        assert_eq!(refusal.field, "parent_obj.config[0]");
        assert!(refusal.reason.starts_with(&format!("byte {at:#04x} is {found:#04x}")));
    }
}

#[test]
fn the_whole_state() {
    let mut bench = Bench::<XenPlatform>::new();
    b"half a line".iter().for_each(|byte| bench.port_out(0x12, 1, u64::from(*byte)));
    let sections = bench.save(Scope::Whole);
    let spoilt = Bench::<XenPlatform>::spoil(&[], Scope::Whole, &sections, legal);
    assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
}
