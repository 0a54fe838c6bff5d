//! The interrupt pins of the functions on the bus, and the four lines they
//! share.

use southbridge_sdk::Context;
use southbridge_sdk::describe::{input, output};
use southbridge_sdk::wit::Line;

/// Interrupt pins of a bus: INTA# to INTD# of 32 slots.
pub(crate) const PINS: u32 = 128;
/// The lines that lead on: PIRQA# to PIRQD#.
const PIRQS: u32 = 4;

/// The pins that share each line. Slot by slot the pins move on by one, as on
/// QEMU's PC boards: slot 1's INTA# is PIRQA#.
const SHARED: [u128; PIRQS as usize] = {
    let mut shared = [0; PIRQS as usize];
    let mut pin = 0;
    while pin < PINS {
        let slot = pin / 4;
        shared[((slot + 3 + pin) % PIRQS) as usize] |= 1 << pin;
        pin += 1;
    }
    shared
};

/// The lines of the device: all pins, in the order of slots, then the four
/// outputs.
pub(crate) fn lines() -> Vec<Line> {
    let pins = (0..PINS).map(|pin| {
        let letter = char::from(b'a' + (pin % 4) as u8);
        input(format!("slot{}.int{letter}", pin / 4))
    });
    let pirqs = ["pirqa", "pirqb", "pirqc", "pirqd"].map(output);
    pins.chain(pirqs).collect()
}

/// Which pins are asserted.
///
/// QEMU keeps no more than a count for each line. Here the counts follow from
/// the pins, so that they cannot disagree with what the functions drive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Interrupts {
    /// A bit for each pin.
    pub(crate) pins: u128,
}

impl Interrupts {
    /// A pin has a level: drives the line it shares, if it had another one.
    pub(crate) fn set(&mut self, cx: &mut Context<'_>, pin: u32, level: bool) {
        let bit = 1_u128.checked_shl(pin).unwrap_or(0);
        if level == (self.pins & bit != 0) {
            return;
        }
        self.pins ^= bit;
        for (line, shared) in (PINS..).zip(SHARED).filter(|(_, shared)| shared & bit != 0) {
            cx.set_line(line, self.pins & shared != 0);
        }
    }

    /// Drives the four outputs.
    pub(crate) fn drive(&self, cx: &mut Context<'_>) {
        for (line, shared) in (PINS..).zip(SHARED) {
            cx.set_line(line, self.pins & shared != 0);
        }
    }

    /// QEMU's counts: how many pins are asserted on each of the bus's lines,
    /// which are the four shared ones or, under Xen, one for each pin.
    pub(crate) fn counts(&self, wiring: Wiring) -> Vec<i32> {
        let count = |pins: u128| pins.count_ones() as i32;
        match wiring {
            Wiring::Shared => SHARED.map(|shared| count(self.pins & shared)).to_vec(),
            Wiring::Single => (0..PINS).map(|pin| count(self.pins & 1 << pin)).collect(),
        }
    }
}

/// How QEMU counts the bus's interrupts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wiring {
    /// By the four shared lines.
    Shared,
    /// By pin: Xen has a line for each.
    Single,
}

impl Wiring {
    /// The wiring with so many lines.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn with_lines(lines: u32) -> Result<Self, String> {
        match lines {
            PIRQS => Ok(Self::Shared),
            PINS => Ok(Self::Single),
            _ => {
                Err(format!("property interrupt-lines: {lines} found, {PIRQS} or {PINS} expected"))
            }
        }
    }

    /// The number of lines.
    pub(crate) const fn lines(self) -> u32 {
        match self {
            Self::Shared => PIRQS,
            Self::Single => PINS,
        }
    }
}
