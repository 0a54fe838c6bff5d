use proptest::prelude::*;
use southbridge_sdk::fake::Bench;
use southbridge_sdk::wit::Scope;

use super::Vmport;

const RESET: &[u8] = include_bytes!("../../../tests/data/sections/reset/vmmouse.bin");

/// What QEMU 7.2 answers while no processor runs.
#[test]
fn the_port_answers_as_if_nobody_were_there() {
    let mut bench = Bench::<Vmport>::new();
    for (port, size) in [(0x5658, 1), (0x5658, 2), (0x5658, 4), (0x5656, 4), (0x5659, 1)] {
        assert_eq!(bench.port_in(port, size), u64::MAX >> (64 - 8 * u32::from(size)));
    }
    bench.port_out(0x5658, 4, 0x564d_5868);
    assert_eq!(bench.save(Scope::Stream)[0].data, RESET);
}

#[test]
fn more_than_the_queue_holds_is_refused() {
    let mut sections = Bench::<Vmport>::new().save(Scope::Stream);
    sections[0].data[4100..4102].copy_from_slice(&[4, 1]);
    let refusal = Bench::<Vmport>::configured(&[]).load(Scope::Stream, sections);
    let refusal = refusal.expect_err("it is impossible");
    assert_eq!(refusal.field, "nb_queue");
    assert_eq!(refusal.reason, "1025 found, at most 1024 expected");
}

proptest! {
    #[test]
    fn what_is_loaded_stays(
        queue in prop::collection::vec(any::<u8>(), 4096),
        count in 0..=1024_u16,
        rest in any::<[u8; 3]>(),
    ) {
        let mut sections = Bench::<Vmport>::new().save(Scope::Stream);
        let data = &mut sections[0].data;
        data[4..4100].copy_from_slice(&queue);
        data[4100..4102].copy_from_slice(&count.to_be_bytes());
        data[4102..].copy_from_slice(&rest);
        let expected = data.clone();
        let mut bench = Bench::<Vmport>::configured(&[]);
        bench.load(Scope::Stream, sections).expect("a legal state");
        prop_assert_eq!(&bench.save(Scope::Stream)[0].data, &expected);
        let mut successor = bench.successor(&[]);
        prop_assert_eq!(&successor.save(Scope::Stream)[0].data, &expected);
        successor.reset();
        prop_assert_eq!(&successor.save(Scope::Stream)[0].data[4100..4104], [0, 0, 0xff, 0xff]);
    }
}
