//! A state with a byte that is not as it was saved is refused, or it is legal.

#![allow(missing_docs, reason = "tests have no users")]

use piix3_ide::Piix3Ide;
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

/// A channel has two drives; one that is none is neither busy nor moves data.
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

/// Drives, of which a state says more.
fn drives() -> [(&'static str, PropertyValue); 2] {
    ["disk", "cdrom"].map(|kind| PropertyValue::Text(kind.into())).map({
        let mut names = ["kind0", "kind3"].into_iter();
        move |kind| (names.next().unwrap_or("kind0"), kind)
    })
}

/// A device in the middle of a READ SECTORS and of a packet, with its requests ended.
fn busy() -> Bench<Piix3Ide> {
    let mut bench = Bench::<Piix3Ide>::with(&drives());
    bench.insert_disk(0, vec![0x5a; 512 * 64]);
    bench.insert_disk(3, vec![0xa5; 2048 * 64]);
    for (port, byte) in [(0x1f6, 0xe0), (0x1f2, 5), (0x1f7, 0x20), (0x176, 0xb0), (0x177, 0xa0)] {
        bench.port_out(port, 1, byte);
        bench.end_requests();
    }
    bench
}

/// The buffers are long and any byte in them is legal: of runs of equal bytes the
/// beginning is enough.
#[test]
fn the_state_of_busy_drives() {
    for scope in [Scope::Stream, Scope::Whole] {
        let sections = busy().save(scope);
        let data = &sections[0].data;
        let (mut run, mut refused, mut taken) = (0, 0, 0);
        for at in 0..data.len() {
            run = if at > 0 && data[at] == data[at - 1] { run + 1 } else { 0 };
            if run > 24 {
                continue;
            }
            for mask in [0x01, 0x80, 0xff] {
                let mut spoilt = data.clone();
                spoilt[at] ^= mask;
                let mut bench = Bench::<Piix3Ide>::configured(&drives());
                bench.insert_disk(0, vec![0; 512 * 64]);
                if bench.load(scope, vec![section("ide", 3, &spoilt)]).is_err() {
                    refused += 1;
                    continue;
                }
                taken += 1;
                bench.end_requests();
                for port in [0x1f0, 0x170] {
                    (0..40).for_each(|_| _ = bench.port_in(port, 2));
                    (0..8).for_each(|_| bench.port_out(port, 2, 0x2828));
                    bench.end_requests();
                }
            }
        }
        assert!(refused > 100 && taken > 100, "{refused} {taken}");
    }
}
