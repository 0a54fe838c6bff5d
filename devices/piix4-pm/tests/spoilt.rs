//! A state with a byte that is not as it was saved is refused, or it is legal.

#![allow(missing_docs, reason = "tests have no users")]

mod common;

use common::{Overrides, data, no, yes};
use piix4_pm::Piix4Pm;
use southbridge_sdk::fake::{Bench, Structure, Value};
use southbridge_sdk::wit::{Scope, Section};

/// The bus is idle or addresses one target of those there can be; all else is left to
/// the layouts: truth values, the timer and its overflow, pins.
fn legal(name: &str, structure: &Structure) {
    if name == "i2c_bus" {
        let address = structure.get(&["saved_address"]);
        assert!(matches!(address, Some(Value::Unsigned(0..=0x7f | 0xff))), "{address:?}");
    }
}

fn try_section(case: &str, format: &str, properties: Overrides<'_>) {
    let section = |name: &str, version, file: &str| {
        let data = data(&format!("sections/{case}/{file}"));
        Section { name: name.into(), version, data }
    };
    let sections = [
        section("i2c_bus", 1, "i2c_bus.bin"),
        section("piix4_pm", 3, &format!("piix4_pm-{format}.bin.gz")),
    ];
    let spoilt = Bench::<Piix4Pm>::spoil(properties, Scope::Stream, &sections, legal);
    assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
}

#[test]
fn qemus_state_under_xen() {
    let bridges = "acpi-pci-hotplug-with-bridge-support";
    let common = [no(bridges), yes("x-not-migrate-acpi-index")];
    try_section("smbus-inflight", "xenfv-4.2", &common);
    try_section("poked", "xenfv-3.1", &[&common[..], &[no("smbus-migration")]].concat());
}

#[test]
fn qemus_state_of_a_pc() {
    try_section("cpuhp", "4.0", &[yes("x-not-migrate-acpi-index")]);
}

#[test]
fn the_whole_state() {
    let bridges = [no("acpi-pci-hotplug-with-bridge-support")];
    let sections = Bench::<Piix4Pm>::with(&bridges).save(Scope::Whole);
    let spoilt = Bench::<Piix4Pm>::spoil(&bridges, Scope::Whole, &sections, legal);
    assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
}

#[test]
fn a_timer_that_contradicts_its_clock() {
    let sections = |timer: u64, overflow: i64| {
        let mut bench = Bench::<Piix4Pm>::with(&[]);
        let mut sections = bench.save(Scope::Stream);
        let section = sections.iter_mut().find(|section| section.name == "piix4_pm").unwrap();
        // Behind the configuration, the registers and the SMBus controller.
        let at = 4 + 256 + 16 + 6 + 2 + 48;
        assert_eq!(section.data[at..at + 8], [0xff; 8]);
        section.data[at..at + 8].copy_from_slice(&timer.to_be_bytes());
        section.data[at + 8..at + 16].copy_from_slice(&overflow.to_be_bytes());
        sections
    };
    let load = |timer, overflow| {
        let mut bench = Bench::<Piix4Pm>::configured(&[]);
        bench.load(Scope::Stream, sections(timer, overflow)).map_err(|refusal| refusal.reason)
    };
    // 0x800000 ticks of 3579545 Hz.
    assert_eq!(load(2_343_484_437, 0x80_0000), Ok(()));
    assert_eq!(load(u64::MAX, 0x80_0000), Ok(()));
    for (timer, overflow, reason) in [
        (2_343_485_000, 0x80_0000, "ar.tmr.timer 2343485000: 2343484437, the overflow"),
        (0, 0, "ar.tmr.timer 0: 0, the overflow"),
        (1 << 63, 0x80_0000, "0x8000000000000000 found, at most 0x7fffffffffffffff or all ones"),
        (u64::MAX, -1, "ar.tmr.overflow_time -1: 0 to"),
        (u64::MAX, i64::MAX, "ar.tmr.overflow_time 9223372036854775807: 0 to"),
    ] {
        let found = load(timer, overflow).unwrap_err();
        assert!(found.starts_with(reason), "{found}");
    }
}
