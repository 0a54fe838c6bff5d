use proptest::prelude::*;
use southbridge_sdk::fake::{Bench, Effect};
use southbridge_sdk::wit::Scope;

use super::Kvmvapic;

const RESET: &[u8] = include_bytes!("../../../tests/data/sections/reset/kvm-tpr-opt.bin");

/// What QEMU 7.2 answers while no processor runs.
#[test]
fn the_port_reads_as_ones_and_takes_nothing() {
    let mut bench = Bench::<Kvmvapic>::new();
    for (port, size) in [(0x7e, 1), (0x7e, 2), (0x7e, 4), (0x7f, 1)] {
        assert_eq!(bench.port_in(port, size), u64::MAX >> (64 - 8 * u32::from(size)));
    }
    for (size, value) in [(2, 1), (1, 0), (4, 0x12345)] {
        bench.port_out(0x7e, size, value);
    }
    assert_eq!(bench.save(Scope::Stream)[0].data, RESET);
}

#[test]
fn the_operator_hears_of_a_guest_that_was_changed() {
    let mut sections = Bench::<Kvmvapic>::new().save(Scope::Stream);
    sections[0].data[127] = 1;
    let mut bench = Bench::<Kvmvapic>::configured(&[]);
    bench.load(Scope::Stream, sections.clone()).expect("a legal state");
    assert!(bench.fake.take().iter().any(|effect| matches!(effect, Effect::Log(_))));
    sections[0].data[127] = 3;
    let refusal = Bench::<Kvmvapic>::configured(&[]).load(Scope::Stream, sections);
    let refusal = refusal.expect_err("it is impossible");
    assert_eq!((&*refusal.field, &*refusal.reason), ("state", "3 found, at most 2 expected"));
}

proptest! {
    #[test]
    fn what_is_loaded_stays(
        rom in prop::collection::vec(any::<u8>(), 116),
        state in 0..3_u8,
        rest in any::<[u8; 16]>(),
    ) {
        let mut sections = Bench::<Kvmvapic>::new().save(Scope::Stream);
        let data = &mut sections[0].data;
        data[8..124].copy_from_slice(&rom);
        data[127] = state;
        data[128..].copy_from_slice(&rest);
        let expected = data.clone();
        let mut bench = Bench::<Kvmvapic>::configured(&[]);
        bench.load(Scope::Stream, sections).expect("a legal state");
        prop_assert_eq!(&bench.save(Scope::Stream)[0].data, &expected);
        let mut successor = bench.successor(&[]);
        prop_assert_eq!(&successor.save(Scope::Stream)[0].data, &expected);
        successor.reset();
        prop_assert_eq!(&successor.save(Scope::Stream)[0].data[124..128], [0; 4]);
    }
}
