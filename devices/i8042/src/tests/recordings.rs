//! Conversations recorded from QEMU.
//!
//! The `isa` traces are of all devices of the ISA bus. The `ps2` traces are of
//! this one alone, with every command of controller, keyboard and mouse; lines
//! that begin with `S` have the sections QEMU saves at that moment: name,
//! version, payload.

use std::io::Read as _;

use flate2::read::GzDecoder;
use southbridge_sdk::fake::Bench;
use southbridge_sdk::fake::trace::Trace;
use southbridge_sdk::wit::{PropertyValue, Scope};

use super::old;
use crate::{I8042, KEYBOARD_IRQ, MOUSE_IRQ};

macro_rules! recording {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/data/traces/", $name, ".trace.gz"))
    };
}

fn text(compressed: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(compressed).read_to_string(&mut text).expect("a recording is gzip and text");
    text
}

/// Replays a recording; returns how many steps were not other devices'.
fn replay(text: &str, bench: &mut Bench<I8042>) -> usize {
    let pins = [(KEYBOARD_IRQ, 1), (MOUSE_IRQ, 12)];
    Trace::parse(text).replay(&[1, 12], |step| bench.follow(step, &pins))
}

#[test]
fn it_answers_as_qemu_does() {
    for recording in [
        &recording!("qemu-7.2/pc-i440fx-7.2/isa")[..],
        &recording!("qemu-10.0/pc-i440fx-10.0/isa")[..],
    ] {
        assert!(replay(&text(recording), &mut Bench::new()) > 2_300);
    }
}

#[test]
fn without_the_extended_state_it_answers_as_qemu_does() {
    let recording = text(recording!("qemu-7.2/pc-i440fx-3.1/isa"));
    assert!(replay(&recording, &mut Bench::with(&old())) > 2_300);
}

/// What the device saves, in the form of the recordings.
fn saved(bench: &mut Bench<I8042>) -> Vec<String> {
    let line = |section: southbridge_sdk::wit::Section| {
        let bytes: String = section.data.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("S {} {} {bytes}", section.name, section.version)
    };
    bench.save(Scope::Stream).into_iter().map(line).collect()
}

/// Replays a recording with saved sections. Another device loads each of them,
/// and a successor goes on from there.
fn replay_and_save(compressed: &[u8], properties: &[(&str, PropertyValue)]) -> usize {
    let text = text(compressed);
    let mut bench = Bench::<I8042>::with(properties);
    let mut lines = text.lines().peekable();
    let mut saves = 0;
    while lines.peek().is_some() {
        let mut requests = String::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("S ")) {
            requests.push_str(line);
            requests.push('\n');
        }
        replay(&requests, &mut bench);
        let expected: Vec<_> =
            std::iter::from_fn(|| lines.next_if(|line| line.starts_with("S "))).collect();
        assert_eq!(saved(&mut bench), expected, "save {saves}");
        let mut loaded = Bench::<I8042>::configured(properties);
        loaded.load(Scope::Stream, bench.save(Scope::Stream)).expect("its own state");
        assert_eq!(saved(&mut loaded), expected, "save {saves}, loaded");
        bench = bench.successor(properties);
        bench.fake.take();
        saves += 1;
    }
    saves
}

#[test]
fn it_saves_what_qemu_saves() {
    let saves = replay_and_save(recording!("qemu-7.2/pc-i440fx-7.2/ps2"), &[]);
    assert!(saves > 100, "{saves}");
}

#[test]
fn without_the_extended_state_it_saves_what_qemu_saves() {
    let saves = replay_and_save(recording!("qemu-7.2/pc-i440fx-3.1/ps2"), &old());
    assert!(saves > 100, "{saves}");
}
