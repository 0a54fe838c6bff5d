//! A device that takes over from another in mid-flight goes on as that one would
//! have: whatever the guest did before and does then.

mod common;

use common::{Board, number, yes};
use proptest::prelude::*;
use southbridge_sdk::PowerEvents;
use southbridge_sdk::fake::Effect;
use southbridge_sdk::fake::trace::Request;
use southbridge_sdk::wit::{PropertyValue, Scope, WakeupReason};

/// What can happen to the device.
#[derive(Clone, Debug)]
enum Happening {
    In {
        port: u16,
        size: u8,
    },
    Out {
        port: u16,
        size: u8,
        value: u32,
    },
    Configure {
        offset: u8,
        value: u32,
    },
    /// Time passes: so many ticks of the PM timer, about.
    Wait {
        ticks: u32,
    },
    Button,
    Woken,
    Reset,
}

fn size() -> impl Strategy<Value = u8> {
    prop_oneof![Just(1), Just(2), Just(4)]
}

fn port() -> impl Strategy<Value = u16> {
    prop_oneof![
        3 => 0xb000_u16..0xb00c,
        // The SMBus registers most of all: they hold the most state.
        6 => 0xb100_u16..0xb108,
        1 => Just(0xb10d),
        1 => 0xafe0_u16..0xafe4,
        1 => 0xb2_u16..0xb4,
        1 => (0_u16..6).prop_map(|register| 0xae00 + 4 * register),
        2 => 0xaf00_u16..0xaf0c,
        1 => 0xa00_u16..0xa18,
    ]
}

fn value() -> impl Strategy<Value = u32> {
    prop_oneof![
        any::<u32>(),
        0_u32..8,
        // Commands to the SMBus host: every protocol, at once and later.
        (0_u32..8, 0_u32..2, 0_u32..4).prop_map(|(protocol, intren, more)| {
            0x40 | protocol << 2 | intren | (more & 1) << 5 | (more & 2)
        }),
        // Addresses: EEPROMs, the general call, nobody.
        (0_u32..6).prop_map(|address| 0xa0 + address),
        Just(0),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        8 => (port(), size()).prop_map(|(port, size)| Happening::In { port, size }),
        // A status that was set stops the SMBus host: clear it often.
        3 => Just(Happening::Out { port: 0xb100, size: 1, value: 0xff }),
        20 => (port(), size(), value())
            .prop_map(|(port, size, value)| Happening::Out { port, size, value }),
        1 => (prop_oneof![Just(0x40), Just(0x58), Just(0x80), Just(0x90), Just(0xd0)], value())
            .prop_map(|(offset, value)| Happening::Configure { offset, value }),
        4 => (1_u32..0x200_0000).prop_map(|ticks| Happening::Wait { ticks }),
        1 => Just(Happening::Button),
        1 => Just(Happening::Woken),
        1 => Just(Happening::Reset),
    ]
}

/// Lets something happen; returns what was read and what the device did.
fn happen(board: &mut Board, happening: &Happening) -> (Option<u64>, Vec<Effect>) {
    let out = |port, size, value: u32| {
        let mask = if size == 4 { u32::MAX } else { (1_u32 << (8 * size)) - 1 };
        Request::Out { port, size, value: (value & mask).into() }
    };
    let read = match *happening {
        Happening::In { port, size } => board.run(Request::In { port, size }, None),
        Happening::Out { port, size, value } => board.run(out(port, size, value), None),
        Happening::Configure { offset, value } => {
            board.run(out(0xcf8, 4, 0x8000_0b00 | u32::from(offset)), None);
            board.run(out(0xcfc, 4, value), None)
        }
        Happening::Wait { ticks } => {
            let end = board.bench.fake.now + u64::from(ticks) * 280;
            board.run(Request::ClockStep(None), Some(end))
        }
        Happening::Button => {
            board.press_power_button();
            None
        }
        Happening::Woken => {
            board.bench.call(|device, cx| device.woken(cx, WakeupReason::PmTimer));
            None
        }
        Happening::Reset => {
            board.reset();
            None
        }
    };
    (read.flatten(), board.bench.fake.take())
}

/// A second board that takes over from the first.
fn take_over(board: &mut Board, properties: &[(&str, PropertyValue)]) -> Board {
    let mut other = Board::unstarted(properties);
    other.bench.fake.now = board.bench.fake.now;
    let saved = board.bench.save(Scope::Whole);
    other.bench.load(Scope::Whole, saved.clone()).expect("the device's own state is legal");
    let again = other.bench.save(Scope::Whole);
    for (before, after) in saved.iter().zip(&again) {
        assert_eq!((&before.name, &before.data), (&after.name, &after.data));
    }
    assert_eq!(saved.len(), again.len());
    for address in 0x50..0x58 {
        let saved = board.save_eeprom(address, Scope::Whole);
        other.load_eeprom(address, Scope::Whole, saved);
    }
    assert_eq!(other.bench.fake.mappings, board.bench.fake.mappings);
    assert_eq!(other.bench.fake.timers, board.bench.fake.timers);
    assert_eq!(other.bench.fake.line(0), board.bench.fake.line(0));
    other.bench.fake.take();
    // Both have the configuration address they had.
    other.run(Request::Out { port: 0xcf8, size: 4, value: 0 }, None);
    other
}

/// Properties that leave as much as possible out of QEMU's stream.
fn bare() -> Vec<(&'static str, PropertyValue)> {
    vec![
        common::no("smbus-migration"),
        common::no("acpi-pci-hotplug-with-bridge-support"),
        common::no("memory-hotplug-support"),
        yes("x-not-migrate-acpi-index"),
        yes("smm-compat"),
        number("cpus", 3),
    ]
}

/// Properties that put as much as possible into it.
fn full() -> Vec<(&'static str, PropertyValue)> {
    vec![yes("smm-enabled"), number("cpus", 3), number("memory-slots", 2)]
}

fn check(properties: &[(&str, PropertyValue)], before: &[Happening], after: &[Happening]) {
    let mut board = Board::new(properties);
    // The PM registers at 0xb000, switched on.
    happen(&mut board, &Happening::Configure { offset: 0x40, value: 0xb001 });
    happen(&mut board, &Happening::Configure { offset: 0x80, value: 1 });
    for happening in before {
        happen(&mut board, happening);
    }
    let mut other = take_over(&mut board, properties);
    for happening in after {
        let found = happen(&mut other, happening);
        assert_eq!(found, happen(&mut board, happening), "{happening:?}");
    }
    let saved = |board: &mut Board| -> Vec<_> {
        board.bench.save(Scope::Whole).into_iter().map(|section| section.data).collect()
    };
    assert_eq!(saved(&mut other), saved(&mut board));
}

fn out(port: u16, size: u8, value: u32) -> Happening {
    Happening::Out { port, size, value }
}

/// A wake-up sets an event without raising the SCI: the line is not what the
/// registers say.
#[test]
fn a_line_that_lags_behind_the_registers() {
    let before = [out(0xb000, 2, 0xffff), out(0xb002, 2, 1), Happening::Woken];
    check(&full(), &before, &[Happening::In { port: 0xb000, size: 2 }]);
}

#[test]
fn a_processor_that_firmware_is_to_remove() {
    let before = [out(0xaf00, 1, 0), out(0xaf00, 4, 1), out(0xaf04, 1, 16)];
    check(&full(), &before, &[Happening::In { port: 0xaf04, size: 1 }]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_device_with_everything_saved(
        before in prop::collection::vec(happening(), 0..80),
        after in prop::collection::vec(happening(), 1..80),
    ) {
        check(&full(), &before, &after);
    }

    #[test]
    fn a_device_with_little_saved(
        before in prop::collection::vec(happening(), 0..80),
        after in prop::collection::vec(happening(), 1..80),
    ) {
        check(&bare(), &before, &after);
    }

    /// No state that arrives from outside makes the device fail later on.
    #[test]
    fn a_hostile_state(
        seed in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..60),
        after in prop::collection::vec(happening(), 1..80),
    ) {
        let properties = full();
        let mut sections = Board::new(&properties).bench.save(Scope::Whole);
        let data = &mut sections[1].data;
        for (index, byte) in seed {
            // Past the identity, which has to be right.
            let at = 0x40 + index.index(data.len() - 0x40);
            data[at] = byte;
        }
        let mut board = Board::unstarted(&properties);
        if board.bench.load(Scope::Whole, sections).is_ok() {
            for happening in &after {
                happen(&mut board, happening);
            }
        }
    }
}
