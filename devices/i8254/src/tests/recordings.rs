//! Conversations recorded from QEMU.

use std::io::Read as _;

use flate2::read::GzDecoder;
use i8042::I8042;
use southbridge_sdk::fake::trace::{Answer, Interrupt, Step, Trace};
use southbridge_sdk::fake::{Bench, Effect};
use southbridge_sdk::wit::PropertyValue;

use crate::{DISABLE, I8254, IRQ0};

macro_rules! recording {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/data/traces/", $name, ".trace.gz"))
    };
}

const RAISE: Interrupt = Interrupt { pin: 0, level: true };
const LOWER: Interrupt = Interrupt { pin: 0, level: false };

/// The timer, and the keyboard controller, by which the recordings' guest resets
/// the machine.
struct Board {
    timer: Bench<I8254>,
    keyboard: Bench<I8042>,
    /// Whether QEMU's version is 7.2.
    is_old: bool,
}

impl Board {
    fn follow(&mut self, step: &Step<'_>) -> Answer {
        let mut changes = Vec::new();
        if self.keyboard.fake.effects.contains(&Effect::Power("reset")) {
            self.reset(&mut changes);
        }
        self.keyboard.follow(step, &[]);
        let answer = self.timer.follow(step, &[(IRQ0, 0)]);
        if let Answer::Moved(own) | Answer::Did { interrupts: own, .. } = &answer {
            changes.extend(own);
        }
        if changes.is_empty() { answer } else { answer.with_interrupts(changes) }
    }

    /// The HPET is reset before. It lowers the interrupt up to version 7.2, and asks
    /// the timer to drive it.
    fn reset(&mut self, changes: &mut Vec<Interrupt>) {
        let mut level = self.timer.fake.line(IRQ0);
        if self.is_old && level {
            changes.push(LOWER);
            level = false;
        }
        self.timer.line(DISABLE, false);
        if self.timer.fake.line(IRQ0) != level {
            changes.push(if level { LOWER } else { RAISE });
        }
        self.timer.reset();
        self.timer.fake.take();
    }
}

fn text(compressed: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(compressed).read_to_string(&mut text).expect("a recording is gzip and text");
    text
}

/// Replays a recording; returns how many steps were not other devices'.
fn replay(compressed: &[u8], is_old: bool) -> usize {
    let text = text(compressed);
    let properties = [("one-shot-is-high", PropertyValue::Flag(is_old))];
    let (timer, keyboard) = (Bench::with(&properties), Bench::new());
    let mut board = Board { timer, keyboard, is_old };
    Trace::parse(&text).replay(&[0], |step| board.follow(step))
}

#[test]
fn it_answers_as_qemu_does() {
    assert!(replay(recording!("qemu-7.2/pc-i440fx-7.2/isa"), true) > 3_500);
    assert!(replay(recording!("qemu-7.2/pc-i440fx-3.1/isa"), true) > 3_500);
    assert!(replay(recording!("qemu-10.0/pc-i440fx-10.0/isa"), false) > 3_500);
}

/// A conversation about the timer alone: every mode, latch and width.
#[test]
fn alone_it_answers_as_qemu_does() {
    let mut bench = Bench::<I8254>::with(&[("one-shot-is-high", PropertyValue::Flag(true))]);
    let text = text(recording!("qemu-7.2/pc-i440fx-7.2/pit"));
    let compared = Trace::parse(&text).replay(&[0], |step| bench.follow(step, &[(IRQ0, 0)]));
    assert!(compared > 3_000, "{compared}");
}
