//! Values as QEMU 7.2 answers.

use proptest::prelude::*;
use southbridge_sdk::fake::{Action, Bench, Effect};
use southbridge_sdk::wit::Scope;

use super::PcTestdev;

#[test]
fn both_groups_of_ports_are_the_same_four_bytes() {
    let mut bench = Bench::<PcTestdev>::new();
    bench.port_out(0xe0, 4, 0x4433_2211);
    assert_eq!(bench.port_in(0xe1, 4), 0x0044_3322);
    assert_eq!(bench.port_in(0xe5, 4), 0x1100_0000);
    assert_eq!(bench.port_in(0xe9, 4), 0xff44_3322);
    bench.port_out(0xe1, 1, 0xaa);
    bench.port_out(0xe2, 2, 0xbbcc);
    assert_eq!(bench.port_in(0xe0, 4), 0xbbcc_aa11);
    bench.port_out(0xe9, 1, 0xdd);
    bench.port_out(0xea, 2, 0xeeff);
    bench.port_out(0xe4, 4, 0x12345);
    assert_eq!([bench.port_in(0xe8, 4), bench.port_in(0xe4, 4)], [0xeeff_dd11, 0]);
    bench.port_out(0xe3, 4, 0x9988_7766);
    assert_eq!(bench.port_in(0xe0, 4), 0x66ff_dd11);
    bench.reset();
    assert_eq!(bench.port_in(0xe8, 4), 0x66ff_dd11);
}

#[test]
fn a_port_for_each_interrupt() {
    let mut bench = Bench::<PcTestdev>::new();
    bench.fake.take();
    for (port, size, value) in [
        (0x2003, 1, 1),
        (0x2003, 1, 5),
        (0x2003, 1, 0),
        (0x2004, 2, 0x0101),
        (0x2010, 1, 1),
        (0x200e, 4, 0x0101_0101),
    ] {
        bench.port_out(port, size, value);
    }
    let expected = [(3, true), (3, false), (4, true), (5, true), (14, true), (15, true)];
    assert_eq!(bench.fake.take(), expected.map(|(line, level)| Effect::Line(line, level)));
    assert_eq!(bench.port_in(0x2004, 1), 0);
    assert_eq!(bench.port_in(0x2017, 4), 0xffff_ff00);
}

#[test]
fn memory() {
    let mut bench = Bench::<PcTestdev>::new();
    let base = 0xff00_0000;
    bench.memory_out(base, 4, 0x5566_7788);
    bench.memory_out(base + 9, 4, 0xaabb_ccdd);
    bench.memory_out(base + 0xffff, 2, 0xaabb);
    assert_eq!(bench.memory_in(base + 3, 4), 0x55);
    assert_eq!(bench.memory_in(base + 8, 4), 0xbbcc_dd00);
    assert_eq!(bench.memory_in(base + 0xfffe, 4), 0xbb00);
}

#[test]
fn qemus_stream_holds_nothing_of_it() {
    assert!(Bench::<PcTestdev>::new().save(Scope::Stream).is_empty());
}

fn action() -> impl Strategy<Value = Action> {
    let port = || prop_oneof![0xe0..0xec_u16, 0x2000..0x2018_u16];
    let size = || prop_oneof![Just(1_u8), Just(2), Just(4)];
    prop_oneof![
        3 => (port(), size(), any::<u32>())
            .prop_map(|(port, size, value)| Action::Out(port, size, value.into())),
        1 => (port(), size()).prop_map(|(port, size)| Action::In(port, size)),
        1 => Just(Action::Reset),
    ]
}

proptest! {
    #[test]
    fn a_successor_goes_on_as_the_device_would(
        before in prop::collection::vec(action(), 0..20),
        after in prop::collection::vec(action(), 0..20),
        place in 0..0xffff_u64,
    ) {
        let mut old = Bench::<PcTestdev>::new();
        for action in &before {
            old.perform(action);
        }
        old.memory_out(0xff00_0000 + place, 2, 0x5aa5);
        let mut new = old.successor(&[]);
        old.fake.take();
        new.fake.take();
        prop_assert_eq!(new.memory_in(0xff00_0000 + place, 2), 0x5aa5);
        for action in &after {
            prop_assert_eq!(old.perform(action), new.perform(action));
            prop_assert_eq!(old.fake.take(), new.fake.take());
        }
    }
}
