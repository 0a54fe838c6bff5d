//! A guest that does anything, and a device that is exchanged in between.

use proptest::prelude::*;
use southbridge_sdk::fake::{Action, Bench, Bytes};

use super::{Files, number};
use crate::FwCfg;

const RAM: u64 = 0x1_0000;

#[derive(Clone, Debug)]
enum Step {
    Access(Action),
    /// A structure at an address: control, length, target; then a transfer from
    /// another address, which is mostly the same.
    Transfer(u64, u64, u32, u32, u64),
}

fn new() -> Bench<FwCfg> {
    let data: Vec<u8> = (0..5000_u32).map(|index| (index * 7) as u8).collect();
    let files = Files::from([("opt/a".into(), data), ("opt/b".into(), Vec::new())]);
    let mut bench = super::bench(&[("below-4g-mem-size", number(RAM))], files, None);
    bench.fake.ram = Bytes::zeros(RAM as usize);
    bench
}

fn perform(bench: &mut Bench<FwCfg>, step: &Step) -> u64 {
    match step {
        Step::Access(action) => bench.perform(action),
        &Step::Transfer(at, from, control, length, target) => {
            let structure =
                u128::from(control) << 96 | u128::from(length) << 64 | u128::from(target);
            bench.fake.ram.write(at, &structure.to_be_bytes());
            bench.port_out(0x514, 4, ((from >> 32) as u32).swap_bytes().into());
            bench.port_out(0x518, 4, (from as u32).swap_bytes().into());
            bench.fake.ram.load(from, 4)
        }
    }
}

fn address() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0..RAM,
        2 => RAM - 40..RAM + 8,
        1 => any::<u64>(),
        1 => u64::MAX - 20..=u64::MAX,
    ]
}

fn selector() -> impl Strategy<Value = u16> {
    prop_oneof![4 => 0..0x44_u16, 1 => 0x8000..0x8008_u16, 1 => any::<u16>()]
}

fn step() -> impl Strategy<Value = Step> {
    let length = prop_oneof![9 => 0..6000_u32, 1 => 0xfff0..0x1_0010_u32];
    let control = (selector(), 0..0x40_u32).prop_map(|(key, bits)| u32::from(key) << 16 | bits);
    let transfer = (address(), address(), any::<bool>(), control, length, address()).prop_map(
        |(at, other, is_same, control, length, target)| {
            let from = if is_same { at } else { other };
            Step::Transfer(at, from, control, length, target)
        },
    );
    let size = prop_oneof![Just(1_u8), Just(2), Just(4)];
    let port = 0x50e..0x51e_u16;
    prop_oneof![
        4 => transfer,
        3 => selector().prop_map(|key| Step::Access(Action::Out(0x510, 2, key.into()))),
        3 => Just(Step::Access(Action::In(0x511, 1))),
        2 => (port.clone(), size.clone()).prop_map(|(port, size)| Step::Access(Action::In(port, size))),
        2 => (port, size, any::<u32>()).prop_map(|(port, size, value)| {
            let value = u64::from(value) & (u64::MAX >> (64 - 8 * u32::from(size)));
            Step::Access(Action::Out(port, size, value))
        }),
        1 => Just(Step::Access(Action::Reset)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_successor_goes_on_as_the_device_would(
        before in prop::collection::vec(step(), 0..24),
        after in prop::collection::vec(step(), 0..12),
    ) {
        let mut old = new();
        before.iter().for_each(|step| {
            perform(&mut old, step);
        });
        let mut new = old.successor(&[("below-4g-mem-size", number(RAM))]);
        new.fake.ram = old.fake.ram.clone();
        for step in &after {
            prop_assert_eq!(perform(&mut old, step), perform(&mut new, step));
        }
        prop_assert!(old.fake.ram == new.fake.ram, "memory");
    }
}

/// A structure that lies in what it asks to be written ends what it asks for: the
/// control field is written last.
#[test]
fn a_transfer_over_its_own_structure_ends() {
    let mut bench = new();
    perform(&mut bench, &Step::Transfer(0x100, 0x100, 0x000a, 64, 0xf8));
    assert_eq!(bench.fake.ram.load(0xf8, 4), u64::from(u32::from_le_bytes(*b"QEMU")));
    assert_eq!(bench.fake.ram.read(0x100, 16), [0; 16]);
    assert_eq!(bench.device.dma_addr, 0);
}

/// Gigabytes of zeros are one effect, however often they are asked for.
#[test]
fn the_longest_transfers_are_cheap() {
    let mut bench = new();
    bench.fake.files.clear();
    for target in [0, RAM, u64::MAX] {
        let skip = Step::Transfer(0x100, 0x100, 0x0004, u32::MAX, target);
        assert_eq!(perform(&mut bench, &skip), 0);
        let write = Step::Transfer(0x100, 0x100, 0xffff_0018, u32::MAX, target);
        assert_eq!(perform(&mut bench, &write), 1 << 24);
    }
    bench.fake.take();
}

#[test]
fn a_transfer_past_the_last_address_goes_on_at_the_first() {
    let mut bench = new();
    let signature = Step::Transfer(0x100, 0x100, 0x000a, 4, u64::MAX - 1);
    assert_eq!(perform(&mut bench, &signature), 1 << 24, "it has failed all the same");
    assert_eq!(bench.fake.ram.read(0, 4), *b"MU\0\0");
    bench.fake.ram.write(0, &[0xee; 16]);
    let zeros = Step::Transfer(0x100, 0x100, 0xffff_000a, 9, u64::MAX);
    assert_eq!(perform(&mut bench, &zeros), 1 << 24);
    assert_eq!(bench.fake.ram.read(0, 9), [0, 0, 0, 0, 0, 0, 0, 0, 0xee]);
    bench.fake.ram.write(0, &[0xee; 16]);
    let both = Step::Transfer(0x100, 0x100, 0x000a, 8, u64::MAX - 7);
    assert_eq!(perform(&mut bench, &both), 1 << 24, "it ends just there");
    assert_eq!(bench.fake.ram.read(0, 1), [0xee]);
}
