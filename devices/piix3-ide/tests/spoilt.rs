//! A state with a byte that is not as it was saved is refused, or it is legal.

#![allow(missing_docs, reason = "tests have no users")]

use piix3_ide::Piix3Ide;
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

/// A channel has two drives, of which none is busy or moves data.
fn legal(_name: &str, structure: &Structure) {
    let each = |name: &str, check: &dyn Fn(&Structure)| {
        let Some(Value::List(list)) = structure.get(&[name]) else { panic!("no {name}") };
        assert_eq!(list.len(), 2);
        for element in list {
            let Value::Structure(element) = element else { panic!("{name} is {element:?}") };
            check(element);
        }
    };
    each("bus", &|bus| {
        let unit = bus.get(&["unit"]);
        assert!(matches!(unit, Some(Value::Unsigned(0 | 1))), "{unit:?}");
    });
    for drives in ["bus[0].ifs", "bus[1].ifs"] {
        each(drives, &|drive| {
            let Some(Value::Unsigned(status)) = drive.get(&["status"]) else { panic!() };
            assert_eq!(status & 0x88, 0, "{status:#x}");
            let lba48 = drive.get(&["lba48"]);
            assert!(matches!(lba48, Some(Value::Unsigned(0 | 1))), "{lba48:?}");
        });
    }
}

#[test]
fn qemus_state() {
    let sections = [section("ide", 3, golden!("poked", "ide"))];
    let spoilt = Bench::<Piix3Ide>::spoil(&[], Scope::Stream, &sections, legal);
    assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
}

#[test]
fn the_whole_state() {
    let sections = Bench::<Piix3Ide>::new().save(Scope::Whole);
    let spoilt = Bench::<Piix3Ide>::spoil(&[], Scope::Whole, &sections, legal);
    assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
}
