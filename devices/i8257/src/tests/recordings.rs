//! Conversations recorded from QEMU.
//!
//! The `isa` traces are of all devices of the ISA bus; `dma` is of this one alone,
//! and lines that begin with `S` have the sections QEMU saves at that moment: name,
//! version, payload.

use std::io::Read as _;

use flate2::read::GzDecoder;
use i8042::I8042;
use southbridge_sdk::fake::trace::Trace;
use southbridge_sdk::fake::{Bench, Effect};
use southbridge_sdk::wit::{Scope, Section};

use crate::I8257;

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

fn replay(text: &str, bench: &mut Bench<I8257>) -> usize {
    Trace::parse(text).replay(&[], |step| bench.follow(step, &[]))
}

/// As [`replay`], with the keyboard controller, by which the recordings' guest resets
/// the machine.
fn replay_with_resets(text: &str) -> usize {
    let (mut bench, mut keyboard) = (Bench::<I8257>::new(), Bench::<I8042>::new());
    Trace::parse(text).replay(&[], |step| {
        if keyboard.fake.effects.contains(&Effect::Power("reset")) {
            bench.reset();
        }
        keyboard.follow(step, &[]);
        bench.follow(step, &[])
    })
}

#[test]
fn it_answers_as_qemu_does() {
    for recording in [
        &recording!("qemu-7.2/pc-i440fx-7.2/isa")[..],
        recording!("qemu-7.2/pc-i440fx-3.1/isa"),
        recording!("qemu-10.0/pc-i440fx-10.0/isa"),
    ] {
        let compared = replay_with_resets(&text(recording));
        assert!(compared > 500, "{compared}");
    }
}

#[test]
fn it_saves_what_qemu_saves() {
    let line = |section: Section| {
        let bytes: String = section.data.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("S {} {} {bytes}", section.name, section.version)
    };
    let text = text(recording!("qemu-7.2/pc-i440fx-7.2/dma"));
    let mut bench = Bench::<I8257>::new();
    let (mut saves, mut compared) = (0, 0);
    let mut lines = text.lines().peekable();
    while lines.peek().is_some() {
        let part: Vec<_> = std::iter::from_fn(|| lines.next_if(|l| !l.starts_with("S "))).collect();
        compared += replay(&part.join("\n"), &mut bench);
        let expected: Vec<_> =
            std::iter::from_fn(|| lines.next_if(|l| l.starts_with("S "))).collect();
        let saved: Vec<_> = bench.save(Scope::Stream).into_iter().map(line).collect();
        assert_eq!(saved, expected, "save {saves}");
        bench = bench.successor(&[]);
        bench.fake.take();
        saves += 1;
    }
    assert!(saves > 100 && compared > 3000, "{saves} saves, {compared} steps");
}
