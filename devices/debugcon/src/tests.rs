use southbridge_sdk::fake::{Bench, Fake, override_properties};
use southbridge_sdk::wit::{PropertyValue, Scope};
use southbridge_sdk::{Context, Device, Properties};

use super::{DATA, Debugcon};

#[test]
fn bytes_go_to_the_stream_in_order() {
    let mut bench = Bench::<Debugcon>::new();
    for byte in *b"hello" {
        bench.port_out(0x402, 1, byte.into());
    }
    assert_eq!(bench.fake.streams[&DATA], b"hello");
}

#[test]
fn of_a_wide_access_only_the_byte_at_the_port_passes() {
    let mut bench = Bench::<Debugcon>::new();
    bench.port_out(0x401, 4, 0x4433_2211);
    bench.port_out(0x402, 2, 0x6655);
    assert_eq!(bench.fake.streams[&DATA], [0x22, 0x55]);
    assert_eq!(bench.port_in(0x401, 4), 0xffff_e9ff);
    assert_eq!(bench.port_in(0x402, 1), 0xe9);
}

#[test]
fn port_and_answer_are_properties() {
    let values =
        [("iobase", PropertyValue::Number(0xe9)), ("readback", PropertyValue::Number(0x12))];
    let mut bench = Bench::<Debugcon>::with(&values);
    assert_eq!(bench.port_in(0xe9, 1), 0x12);
    assert_eq!(bench.port_in(0x402, 1), 0xff);
}

#[test]
fn an_answer_that_is_no_byte_is_refused() {
    let values = [("readback", PropertyValue::Number(256))];
    let properties = Properties::new(override_properties(&Debugcon::describe(), &values));
    let mut fake = Fake::default();
    let result = Debugcon::configure(&properties, &mut Context::new(0, &mut fake));
    let expected = "property readback: 256 is out of range, at most 8 bits expected";
    assert_eq!(result.err().as_deref(), Some(expected));
}

#[test]
fn there_is_no_state() {
    let mut bench = Bench::<Debugcon>::new();
    assert!(bench.save(Scope::Whole).is_empty());
    assert!(bench.load(Scope::Whole, Vec::new()).is_ok());
}
