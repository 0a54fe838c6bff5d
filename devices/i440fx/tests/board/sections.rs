//! The sections QEMU saves, byte for byte.

use southbridge_sdk::fake::trace::Trace;

use crate::machine::Board;

macro_rules! golden {
    ($case:literal, $section:literal) => {
        include_bytes!(concat!("../../../../tests/data/sections/", $case, "/", $section, ".bin"))
    };
}

macro_rules! requests {
    ($case:literal) => {
        include_str!(concat!("../../../../tests/data/sections/", $case, "/requests.trace"))
    };
}

/// A machine after the requests of a case, which it must answer as QEMU did.
fn after(xen: bool, requests: &str) -> Board {
    let mut board = Board::new(xen);
    let compared = Trace::parse(requests).replay(&[], |step| board.perform(step));
    assert!(compared >= 20, "{compared} requests are for these devices");
    board
}

#[test]
fn after_a_reset() {
    let mut pc = Board::new(false);
    assert_eq!(pc.section("PCIHost"), golden!("reset", "PCIHost"));
    assert_eq!(pc.section("PCIBUS"), golden!("reset", "PCIBUS"));
    assert_eq!(pc.section("I440FX"), golden!("reset", "I440FX"));
    assert_eq!(pc.section("PIIX3"), golden!("reset", "PIIX3"));
    let mut xen = Board::new(true);
    assert_eq!(xen.section("PCIBUS"), golden!("reset", "PCIBUS-xen"));
    assert_eq!(xen.section("I440FX"), golden!("reset", "I440FX"));
    assert_eq!(xen.section("PIIX3"), golden!("reset", "PIIX3"));
    assert_eq!(xen.section("platform"), golden!("reset", "platform"));
}

#[test]
fn after_writes_to_the_bridges() {
    let mut pc = after(false, requests!("poked"));
    assert_eq!(pc.section("PCIHost"), golden!("poked", "PCIHost"));
    assert_eq!(pc.section("PCIBUS"), golden!("poked", "PCIBUS"));
    assert_eq!(pc.section("I440FX"), golden!("poked", "I440FX"));
    assert_eq!(pc.section("PIIX3"), golden!("poked", "PIIX3"));
    let mut xen = after(true, requests!("poked"));
    assert_eq!(xen.section("PCIBUS"), golden!("poked", "PCIBUS-xen"));
    assert_eq!(xen.section("I440FX"), golden!("poked", "I440FX"));
    assert_eq!(xen.section("PIIX3"), golden!("poked", "PIIX3"));
    assert_eq!(xen.section("platform"), golden!("poked", "platform"));
}

#[test]
fn with_an_asserted_interrupt() {
    let mut pc = after(false, requests!("poked"));
    pc.assert_pin(3, 0, true);
    assert_eq!(pc.section("PCIBUS"), golden!("full", "PCIBUS"));
    assert_eq!(pc.section("PIIX3"), golden!("full", "PIIX3"));
}

#[test]
fn after_a_guest_has_used_the_platform_device() {
    let mut xen = after(true, requests!("platform"));
    assert_eq!(xen.section("platform"), golden!("platform", "platform"));
    let platform = xen.platform.expect("a Xen guest has one");
    assert_eq!(platform.borrow().fake.streams[&0], b"hello\n");
}
