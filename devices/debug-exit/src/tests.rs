use southbridge_sdk::fake::{Bench, Effect, override_properties};
use southbridge_sdk::wit::{PropertyValue, Scope};
use southbridge_sdk::{Context, Device, Properties};

use super::DebugExit;

fn configure(iobase: u64, iosize: u64) -> Result<DebugExit, String> {
    let values =
        [("iobase", PropertyValue::Number(iobase)), ("iosize", PropertyValue::Number(iosize))];
    let properties = Properties::new(override_properties(&DebugExit::describe(), &values));
    let mut fake = southbridge_sdk::fake::Fake::default();
    DebugExit::configure(&properties, &mut Context::new(0, &mut fake))
}

#[test]
fn the_status_is_odd_and_keeps_the_low_seven_bits() {
    for (size, value, status) in [
        (1, 0, 1),
        (1, 1, 3),
        (1, 0x7f, 0xff),
        (1, 0x80, 1),
        (2, 0x1234, 0x69),
        (4, 0xffff_ff10, 0x21),
    ] {
        let mut bench = Bench::<DebugExit>::new();
        bench.fake.take();
        bench.port_out(0xf4, size, value);
        assert_eq!(bench.fake.take(), [Effect::Exit(status)], "{size} bytes {value:#x}");
    }
}

#[test]
fn every_port_of_iosize_answers_and_no_other() {
    for size in [1u16, 2, 4, 8] {
        let size_value = PropertyValue::Number(size.into());
        let mut bench = Bench::<DebugExit>::with(&[("iosize", size_value)]);
        bench.fake.take();
        for port in 0xf0..0x100 {
            let inside = (0xf4..0xf4 + size).contains(&port);
            assert_eq!(bench.port_in(port, 1), if inside { 0 } else { 0xff }, "port {port:#x}");
            bench.port_out(port, 1, 2);
            let expected: &[Effect] = if inside { &[Effect::Exit(5)] } else { &[] };
            assert_eq!(bench.fake.take(), expected, "port {port:#x}");
        }
    }
}

#[test]
fn properties_that_do_not_fit_are_refused() {
    let error = |iobase, iosize| configure(iobase, iosize).err().unwrap_or_default();
    assert_eq!(error(0xf4, 3), "property iosize: 3, expected 1, 2, 4 or 8");
    assert_eq!(error(0xfffd, 4), "property iobase: 0xfffd, expected at most 0xfffc for 4 ports");
    assert_eq!(
        error(0x1_0000, 4),
        "property iobase: 65536 is out of range, at most 16 bits expected"
    );
    assert!(configure(0xfffc, 4).is_ok());
}

#[test]
fn there_is_no_state() {
    let mut bench = Bench::<DebugExit>::new();
    assert!(bench.save(Scope::Whole).is_empty());
    assert!(bench.load(Scope::Whole, Vec::new()).is_ok());
}
