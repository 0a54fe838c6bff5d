use std::io::Read as _;

use flate2::read::GzDecoder;
use proptest::prelude::*;
use southbridge_sdk::fake::trace::Trace;
use southbridge_sdk::fake::{Action, Bench, Effect};
use southbridge_sdk::wit::{Scope, Section};

use super::{A20, Port92};

macro_rules! recording {
    ($machine:literal) => {
        include_bytes!(concat!("../../../tests/data/traces/", $machine, "/isa.trace.gz"))
    };
}

fn replay(compressed: &[u8]) -> usize {
    let mut text = String::new();
    GzDecoder::new(compressed).read_to_string(&mut text).expect("a recording is gzip and text");
    let mut bench = Bench::<Port92>::new();
    Trace::parse(&text).replay(&[], |step| bench.follow(step, &[]))
}

/// The other steps that count are those of the clock.
#[test]
fn it_answers_as_qemu_does() {
    assert!(replay(recording!("qemu-7.2/pc-i440fx-7.2")) > 180);
    assert!(replay(recording!("qemu-7.2/pc-i440fx-3.1")) > 180);
    assert!(replay(recording!("qemu-10.0/pc-i440fx-10.0")) > 180);
}

fn section(bench: &mut Bench<Port92>) -> Vec<u8> {
    let mut sections = bench.save(Scope::Stream);
    assert_eq!((sections.len(), &*sections[0].name, sections[0].version), (1, "port92", 1));
    sections.remove(0).data
}

#[test]
fn sections_are_those_of_the_recorded_streams() {
    let mut bench = Bench::<Port92>::new();
    assert_eq!(
        section(&mut bench),
        include_bytes!("../../../tests/data/sections/reset/port92.bin")
    );
    bench.port_out(0x92, 1, 2);
    assert_eq!(
        section(&mut bench),
        include_bytes!("../../../tests/data/sections/poked/port92.bin")
    );
}

#[test]
fn only_the_edge_of_the_reset_bit_resets() {
    let mut bench = Bench::<Port92>::new();
    bench.fake.take();
    bench.port_out(0x92, 1, 0x01);
    assert_eq!(bench.fake.take(), [Effect::Power("reset")]);
    bench.port_out(0x92, 1, 0xfd);
    assert_eq!(bench.fake.take(), []);
    assert_eq!(bench.port_in(0x92, 1), 0xfd);
    // The machine resets: the bit is ready for the next time.
    bench.reset();
    assert_eq!(bench.port_in(0x92, 2), 0xfcfc);
    bench.port_out(0x92, 1, 0x01);
    assert_eq!(bench.fake.take(), [Effect::Power("reset")]);
}

#[test]
fn the_gate_follows_its_bit_and_no_reset_moves_it() {
    let mut bench = Bench::<Port92>::new();
    bench.port_out(0x92, 1, 2);
    assert!(bench.fake.line(A20));
    bench.reset();
    assert_eq!((bench.port_in(0x92, 1), bench.fake.line(A20)), (2, true));
    bench.port_out(0x92, 1, 0);
    assert!(!bench.fake.line(A20));
}

#[test]
fn a_loaded_register_opens_the_gate_and_asks_for_no_reset() {
    let mut bench = Bench::<Port92>::configured(&[]);
    let saved = Section { name: "port92".into(), version: 1, data: vec![3] };
    bench.load(Scope::Stream, vec![saved]).expect("any byte is legal");
    assert_eq!(bench.fake.take()[1..], [Effect::Line(A20, true)]);
    bench.port_out(0x92, 1, 3);
    assert_eq!(bench.fake.take(), []);
}

proptest! {
    #[test]
    fn a_successor_goes_on_as_the_device_would(
        before in prop::collection::vec(action(), 0..8),
        after in prop::collection::vec(action(), 0..8),
    ) {
        let mut old = Bench::<Port92>::new();
        before.iter().for_each(|action| {
            old.perform(action);
        });
        let mut new = old.successor(&[]);
        old.assert_goes_on(&mut new, &after, Bench::perform);
    }
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => (prop_oneof![Just(1_u8), Just(2)], any::<u16>())
            .prop_map(|(size, value)| Action::Out(0x92, size, value.into())),
        2 => Just(Action::In(0x92, 1)),
        1 => Just(Action::Reset),
    ]
}
