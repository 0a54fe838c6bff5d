//! A device that takes over from another goes on as that one would have, whatever
//! the guest did before and does then.

#![allow(missing_docs, reason = "tests have no users")]

mod common;

use common::{Board, VRAM, data};
use proptest::prelude::*;
use southbridge_sdk::fake::Bench;
use southbridge_sdk::wit::Scope;
use vga::Vga;

#[derive(Clone, Debug)]
enum Happening {
    In { port: u16, size: u8 },
    Out { port: u16, size: u8, value: u32 },
    Index { port: u16, value: u16 },
    Dispi { index: u16, value: u16 },
    Read { address: u64, size: u8 },
    Write { address: u64, size: u8, value: u64 },
    Configure { offset: u16, value: u32 },
    Look,
    Reset,
}

fn port() -> impl Strategy<Value = u16> {
    prop_oneof![0x3b4_u16..0x3b6, 0x3c0_u16..0x3d0, 0x3d4_u16..0x3d6, Just(0x3da), 0x1ce_u16..0x1d2]
}

fn address() -> impl Strategy<Value = u64> {
    let window = (0_u64..4, 0_u64..64).prop_map(|(part, at)| 0xa_0000 + part * 0x8000 + at);
    let mmio = prop_oneof![0x400_u64..0x420, 0x500_u64..0x518, 0x600_u64..0x608, 0_u64..0x1000];
    prop_oneof![window, mmio.prop_map(|at| 0xf100_0000 + at)]
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::{Configure, Dispi, In, Index, Look, Out, Read, Reset, Write};
    let size = || prop_oneof![Just(1_u8), Just(2), Just(4)];
    let register = prop_oneof![Just(0x3c4_u16), Just(0x3ce), Just(0x3d4)];
    let index = (register, 0_u16..0x20, any::<u8>());
    let small = prop_oneof![any::<u16>(), 0_u16..64, Just(0x41), Just(0xc1), Just(640)];
    prop_oneof![
        3 => (port(), size()).prop_map(|(port, size)| In { port, size }),
        3 => (port(), size(), any::<u32>())
            .prop_map(|(port, size, value)| Out { port, size, value }),
        6 => index.prop_map(|(port, index, value)| {
            Index { port, value: index | u16::from(value) << 8 }
        }),
        4 => (0_u16..11, small).prop_map(|(index, value)| Dispi { index, value }),
        4 => (address(), size()).prop_map(|(address, size)| Read { address, size }),
        4 => (address(), size(), any::<u64>())
            .prop_map(|(address, size, value)| Write { address, size, value }),
        1 => (prop_oneof![Just(0x04), Just(0x10), Just(0x18), Just(0x30)], any::<u32>())
            .prop_map(|(offset, value)| Configure { offset, value }),
        1 => Just(Look),
        1 => Just(Reset),
    ]
}

/// Lets something happen and returns what comes of it.
fn happen(bench: &mut Bench<Vga>, happening: &Happening) -> Vec<u64> {
    match *happening {
        Happening::In { port, size } => vec![bench.port_in(port, size)],
        Happening::Out { port, size, value } => {
            bench.port_out(port, size, u64::from(value) & (u64::MAX >> (64 - 8 * size)));
            vec![]
        }
        Happening::Index { port, value } => {
            bench.port_out(port, 2, value.into());
            vec![]
        }
        Happening::Dispi { index, value } => {
            bench.port_out(0x1ce, 2, index.into());
            bench.port_out(0x1cf, 2, value.into());
            vec![bench.port_in(0x1cf, 2)]
        }
        Happening::Read { address, size } => {
            vec![bench.memory_in(address & !u64::from(size - 1), size)]
        }
        Happening::Write { address, size, value } => {
            let value = value & (u64::MAX >> (64 - 8 * size));
            bench.memory_out(address & !u64::from(size - 1), size, value);
            vec![]
        }
        Happening::Configure { offset, value } => {
            bench.configuration_write(offset, 4, value);
            vec![bench.configuration_read(offset, 4).into()]
        }
        Happening::Look => {
            use southbridge_sdk::Display;
            let frame = bench.call(Vga::picture);
            let sum = frame.pixels.iter().fold(0_u64, |sum, &byte| {
                sum.rotate_left(5).wrapping_mul(31).wrapping_add(byte.into())
            });
            assert_eq!(frame.pixels.len() as u64, 3 * u64::from(frame.width * frame.height));
            vec![frame.width.into(), frame.height.into(), sum]
        }
        Happening::Reset => {
            bench.reset();
            vec![]
        }
    }
}

/// A device with its registers in memory mapped.
fn started() -> Bench<Vga> {
    let mut bench = Bench::new();
    bench.configuration_write(0x18, 4, 0xf100_0000);
    bench.configuration_write(0x04, 4, 3);
    bench
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_swap_goes_unnoticed(
        before in prop::collection::vec(happening(), 0..100),
        after in prop::collection::vec(happening(), 1..60),
    ) {
        let mut bench = started();
        for happening in &before {
            happen(&mut bench, happening);
        }
        let mut other = bench.successor(&[]);
        // The blocks are the slot's and stay.
        other.fake.memories = bench.fake.memories.clone();
        for happening in &after {
            prop_assert_eq!(happen(&mut other, happening), happen(&mut bench, happening));
        }
        prop_assert!(other.fake.memories[&VRAM] == bench.fake.memories[&VRAM]);
        let saved = bench.save(Scope::Whole).remove(0).data;
        prop_assert_eq!(other.save(Scope::Whole).remove(0).data, saved);
    }

    /// No state that arrives from outside makes the device fail later on.
    #[test]
    fn a_hostile_state(
        seed in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..30),
        after in prop::collection::vec(happening(), 1..60),
    ) {
        let mut sections = started().save(Scope::Whole);
        for (index, byte) in seed {
            // Past the identity, which has to be right.
            let at = 0x40 + index.index(sections[0].data.len() - 0x40);
            sections[0].data[at] = byte;
        }
        let mut bench = Bench::<Vga>::configured(&[]);
        if bench.load(Scope::Whole, sections).is_ok() {
            for happening in &after {
                happen(&mut bench, happening);
            }
        }
    }
}

/// What was recorded is the same with a new device after every hundredth step.
#[test]
fn recordings_with_swaps() {
    use southbridge_sdk::fake::trace::Trace;
    for name in ["window", "mixed"] {
        let text = String::from_utf8(data(&format!("{name}.trace.gz"))).expect("text");
        let (mut board, mut count) = (Board::new(), 0);
        Trace::parse(&text).replay(&[], |step| {
            count += 1;
            if count % 100 == 0 {
                let mut other = board.bench.successor(&[common::QEMU_7_2]);
                std::mem::swap(&mut other.fake.memories, &mut board.bench.fake.memories);
                board.bench = other;
            }
            board.follow(step)
        });
        assert!(count > 5000);
    }
}
