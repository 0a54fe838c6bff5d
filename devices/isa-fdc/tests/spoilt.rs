//! A state with a byte that is not as it was saved is refused, or it is legal.

#![allow(missing_docs, reason = "tests have no users")]

use isa_fdc::Fdc;
use southbridge_sdk::fake::{Bench, Structure, Value};
use southbridge_sdk::wit::{PropertyValue, Scope};

fn drives() -> [(&'static str, PropertyValue); 2] {
    ["drive-type-a", "drive-type-b"].map(|name| (name, PropertyValue::Text("auto".into())))
}

/// Directions are QEMU's, and positions within the phases.
fn legal(_name: &str, structure: &Structure) {
    let number = |path: &[&str]| match structure.get(path) {
        Some(Value::Unsigned(found)) => Some(*found),
        Some(Value::Signed(found)) => Some(u64::try_from(*found).expect("not negative")),
        None => None,
        Some(other) => panic!("{path:?} is {other:?}"),
    };
    let field = |name| number(&["state", name]).expect(name);
    assert!(field("data_dir") <= 5);
    assert!(field("data_state") <= 1);
    assert_eq!(field("num_floppies"), 2);
    if let Some(left) = number(&["state", "fdc/reset_sensei", "reset_sensei"]) {
        assert!(left <= 4);
    }
    let msr = field("msr");
    if msr & 0xa0 == 0x80 && number(&["state", "fdc/phase", "phase"]).is_none() {
        assert!(field("data_pos") < field("data_len") && field("data_len") <= 18);
    }
}

fn spoil(bench: &mut Bench<Fdc>) {
    for scope in [Scope::Stream, Scope::Whole] {
        let sections = bench.save(scope);
        let spoilt = Bench::<Fdc>::spoil(&drives(), scope, &sections, legal);
        assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
    }
}

#[test]
fn after_a_reset() {
    let mut bench = Bench::<Fdc>::with(&drives());
    bench.port_out(0x3f2, 1, 0);
    bench.port_out(0x3f2, 1, 0x0c);
    spoil(&mut bench);
}

#[test]
fn inside_a_transfer() {
    let mut bench = Bench::<Fdc>::configured(&drives());
    bench.insert_disk(0, vec![0; 1_474_560]);
    bench.reset();
    for byte in [3, 0xdf, 3, 0x46, 0, 1, 0, 1, 2, 18, 0x1b, 0xff] {
        bench.port_out(0x3f5, 1, byte);
        bench.end_requests();
    }
    assert_eq!(bench.port_in(0x3f4, 1), 0xf0);
    spoil(&mut bench);
}
