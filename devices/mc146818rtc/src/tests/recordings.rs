//! Conversations recorded from QEMU.

use std::io::Read as _;

use flate2::read::GzDecoder;
use i8042::I8042;
use southbridge_sdk::fake::trace::{Answer, Step, Trace};
use southbridge_sdk::fake::{Bench, Effect};

use super::recorded;
use crate::{IRQ, Mc146818};

macro_rules! recording {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/data/traces/", $name, ".trace.gz"))
    };
}

/// The clock, and the keyboard controller, by which the recordings' guest resets
/// the machine.
struct Board {
    clock: Bench<Mc146818>,
    keyboard: Bench<I8042>,
}

impl Board {
    fn follow(&mut self, step: &Step<'_>) -> Answer {
        if self.keyboard.fake.effects.contains(&Effect::Power("reset")) {
            self.clock.reset();
        }
        self.keyboard.follow(step, &[]);
        self.clock.follow(step, &[(IRQ, 8)])
    }
}

/// Replays a recording; returns how many steps were not other devices'.
fn replay(compressed: &[u8], time_wraps: bool) -> usize {
    let mut text = String::new();
    GzDecoder::new(compressed).read_to_string(&mut text).expect("a recording is gzip and text");
    let (clock, keyboard) = (Bench::with(&recorded(time_wraps)), Bench::new());
    let mut board = Board { clock, keyboard };
    Trace::parse(&text).replay(&[8], |step| board.follow(step))
}

#[test]
fn it_answers_as_qemu_does() {
    assert!(replay(recording!("qemu-7.2/pc-i440fx-7.2/isa"), true) > 2_700);
    assert!(replay(recording!("qemu-7.2/pc-i440fx-3.1/isa"), true) > 2_700);
    assert!(replay(recording!("qemu-10.0/pc-i440fx-10.0/isa"), false) > 2_700);
}
