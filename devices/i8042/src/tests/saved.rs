//! The saved state beyond what the recordings have.

use proptest::prelude::*;
use southbridge_sdk::fake::{Action, Bench};
use southbridge_sdk::wit::{PropertyValue, Refusal, Scope, Section};

use super::{data, mouse, old, read, status};
use crate::{I8042, KEYBOARD_IRQ};

macro_rules! golden {
    ($case:literal, $section:literal) => {
        include_bytes!(concat!("../../../../tests/data/sections/", $case, "/", $section, ".bin"))
    };
}

fn sections(bench: &mut Bench<I8042>) -> Vec<(String, Vec<u8>)> {
    bench.save(Scope::Stream).into_iter().map(|s| (s.name, s.data)).collect()
}

fn poke(bench: &mut Bench<I8042>) {
    bench.port_out(0x64, 1, 0x60);
    data(bench, 0x43);
    data(bench, 0xed);
    data(bench, 0x05);
    mouse(bench, &[0xf4]);
}

#[test]
fn sections_are_those_of_the_recorded_streams() {
    let expected = |sections: [&[u8]; 3]| -> Vec<_> {
        let names = ["ps2kbd", "ps2mouse", "pckbd"].map(String::from);
        names.into_iter().zip(sections.map(<[u8]>::to_vec)).collect()
    };
    let reset = |pckbd| expected([golden!("reset", "ps2kbd"), golden!("reset", "ps2mouse"), pckbd]);
    let poked = |pckbd| expected([golden!("poked", "ps2kbd"), golden!("poked", "ps2mouse"), pckbd]);
    let mut new = Bench::<I8042>::new();
    assert_eq!(sections(&mut new), reset(golden!("reset", "pckbd-6.1")));
    poke(&mut new);
    assert_eq!(sections(&mut new), poked(golden!("poked", "pckbd-6.1")));
    let mut old = Bench::<I8042>::with(&old());
    assert_eq!(sections(&mut old), reset(golden!("reset", "pckbd")));
    poke(&mut old);
    assert_eq!(sections(&mut old), poked(golden!("poked", "pckbd")));
}

/// The sections of a device, one of them changed.
fn changed(name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Vec<Section> {
    let mut bench = Bench::<I8042>::new();
    poke(&mut bench);
    let mut sections = bench.save(Scope::Stream);
    let section = sections.iter_mut().find(|section| section.name == name);
    change(&mut section.expect("the section is there").data);
    sections
}

fn load(sections: Vec<Section>) -> Result<Bench<I8042>, Refusal> {
    let mut bench = Bench::<I8042>::configured(&[]);
    bench.load(Scope::Stream, sections).map(|()| bench)
}

#[test]
fn a_longer_queue_is_cut() {
    // 200 bytes, as versions of QEMU before 6.1 could have them, no reply.
    let long = changed("ps2kbd", |data| {
        data.truncate(284);
        data[4..16].copy_from_slice(&[0, 0, 0, 250, 0, 0, 0, 194, 0, 0, 0, 200]);
        data[16..272].fill(0x1e);
    });
    let mut bench = load(long).expect("QEMU takes it, too");
    assert!(bench.fake.line(KEYBOARD_IRQ));
    assert_eq!(read(&mut bench).iter().filter(|byte| **byte == 0x1e).count(), 16);
}

#[test]
fn positions_outside_the_ring_wrap() {
    for (read_at, count, end) in [(-1, -5, 1), (i32::MAX, i32::MAX, i32::MIN), (0, 3, 200)] {
        let hostile = changed("ps2kbd", |data| {
            data[4..8].copy_from_slice(&i32::to_be_bytes(read_at));
            data[12..16].copy_from_slice(&i32::to_be_bytes(count));
            let last = data.len() - 4;
            data[last..].copy_from_slice(&i32::to_be_bytes(end));
        });
        let mut bench = load(hostile).expect("QEMU takes it, too");
        assert!(read(&mut bench).len() <= 25);
        data(&mut bench, 0xf2);
        bench.port_in(0x60, 1);
        assert_eq!(status(&mut bench) & 0x18, 0x18);
    }
}

#[test]
fn a_loaded_movement_is_reported_and_what_is_left_of_it() {
    let moved = changed("ps2mouse", |data| {
        data[276] = 4;
        data[278..290].copy_from_slice(&[0, 0, 0, 200, 0xff, 0xff, 0xff, 0, 0, 0, 0, 9]);
        data[290] = 0x1f;
    });
    let mut bench = load(moved).expect("its own state");
    read(&mut bench);
    mouse(&mut bench, &[0xeb, 0xeb, 0xeb]);
    let expected =
        [[0xfa, 0x2f, 127, 0x81, 0x37], [0xfa, 0x2f, 73, 0x81, 0x32], [0xfa, 0x2f, 0, 0xfe, 0x30]];
    assert_eq!(read(&mut bench), expected.concat());
}

#[test]
fn impossible_states_are_refused() {
    let refused = |name, at: usize, value| {
        let refusal = load(changed(name, |data| data[at] = value)).err();
        let refusal = refusal.expect("it is impossible");
        (refusal.field, refusal.reason)
    };
    let pair = |field: &str, reason: &str| (field.to_owned(), reason.to_owned());
    let expected = pair("scancode_set", "9 found, 1 to 3 expected");
    assert_eq!(refused("ps2kbd", 283, 9), expected);
    assert_eq!(refused("ps2kbd", 279, 2), pair("translate", "2 found, 0 or 1 expected"));
    let expected = pair("kbd.pckbd/extended_state.obsrc", "3 found, 0, 1, 2 or 4 expected");
    assert_eq!(refused("pckbd", 37, 3), expected);
}

fn action() -> impl Strategy<Value = Action> {
    let device = prop_oneof![
        Just(0xe8_u64),
        Just(0xed),
        Just(0xeb),
        Just(0xee),
        Just(0xf2),
        Just(0xf3),
        Just(0xff),
        0..0x100_u64
    ];
    let controller = prop_oneof![
        Just(0x20_u64),
        Just(0x60),
        Just(0xad),
        Just(0xae),
        Just(0xd1),
        Just(0xd2),
        Just(0xd3),
        Just(0xd4),
        Just(0xdd),
        0..0x100_u64
    ];
    prop_oneof![
        6 => device.prop_map(|byte| Action::Out(0x60, 1, byte)),
        6 => controller.prop_map(|byte| Action::Out(0x64, 1, byte)),
        4 => Just(Action::In(0x60, 1)),
        2 => Just(Action::In(0x64, 1)),
        1 => Just(Action::Reset),
    ]
}

proptest! {
    #[test]
    fn a_successor_goes_on_as_the_device_would(
        before in prop::collection::vec(action(), 0..60),
        after in prop::collection::vec(action(), 0..40),
        extended: bool,
    ) {
        let properties = [("extended-state", PropertyValue::Flag(extended))];
        let mut old = Bench::<I8042>::with(&properties);
        for action in &before {
            old.perform(action);
        }
        let mut new = old.successor(&properties);
        old.assert_goes_on(&mut new, &after, Bench::perform);
    }

    #[test]
    fn no_state_traps(bytes in prop::collection::vec(any::<u8>(), 291), actions in prop::collection::vec(action(), 0..40)) {
        let sections = ["ps2kbd", "ps2mouse"].map(|name| changed(name, |data| {
            let size = data.len().min(272);
            data[..size].copy_from_slice(&bytes[..size]);
        }));
        for sections in sections {
            let mut bench = load(sections).expect("every value of these fields is legal");
            for action in &actions {
                bench.perform(action);
            }
        }
    }
}
