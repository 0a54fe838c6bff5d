//! A state with a byte that is not as it was saved is refused, or it is legal.

#![allow(missing_docs, reason = "tests have no users")]

use smbus_eeprom::SmbusEeprom;
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

/// The device stays where it is, in a mode there is, within its buffer.
fn legal(_name: &str, structure: &Structure) {
    let address = structure.get(&["smbusdev", "i2c", "address"]);
    assert_eq!(address, Some(&Value::Unsigned(0x53)));
    let mode = structure.get(&["smbusdev", "mode"]);
    assert!(matches!(mode, Some(Value::Signed(-1..=3))), "{mode:?}");
    let length = structure.get(&["smbusdev", "data_len"]);
    assert!(matches!(length, Some(Value::Signed(0..=34))), "{length:?}");
}

#[test]
fn qemus_state() {
    let address = [("address", PropertyValue::Number(0x53))];
    let sections = [section("smbus-eeprom", 1, golden!("smbus-inflight", "smbus-eeprom-53"))];
    for scope in [Scope::Stream, Scope::Whole] {
        let spoilt = Bench::<SmbusEeprom>::spoil(&address, scope, &sections, legal);
        assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
    }
}
