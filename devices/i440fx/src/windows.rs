//! The windows below 1 MiB in which PAM and SMRAM registers show RAM or the
//! bus.

use southbridge_sdk::Context;
use southbridge_sdk::describe::ram_window;
use southbridge_sdk::pci::CONFIGURATION_SIZE;
use southbridge_sdk::registers::Registers;
use southbridge_sdk::wit::{Mode, RamWindow};

use crate::regs::{Attributes, PAM, SMRAM, Smram};

/// The segments the PAM registers control, in the order of their attributes
/// from bit 4 of the first register on: name, first address, length in bytes.
const SEGMENTS: [(&str, u64, u64); 13] = [
    ("pam-f0000", 0xf0000, 0x10000),
    ("pam-c0000", 0xc0000, 0x4000),
    ("pam-c4000", 0xc4000, 0x4000),
    ("pam-c8000", 0xc8000, 0x4000),
    ("pam-cc000", 0xcc000, 0x4000),
    ("pam-d0000", 0xd0000, 0x4000),
    ("pam-d4000", 0xd4000, 0x4000),
    ("pam-d8000", 0xd8000, 0x4000),
    ("pam-dc000", 0xdc000, 0x4000),
    ("pam-e0000", 0xe0000, 0x4000),
    ("pam-e4000", 0xe4000, 0x4000),
    ("pam-e8000", 0xe8000, 0x4000),
    ("pam-ec000", 0xec000, 0x4000),
];

/// One window for each segment, and one for SMRAM.
const COUNT: usize = SEGMENTS.len() + 1;

/// The windows, as the device declares them.
pub(crate) fn declared() -> Vec<RamWindow> {
    let segments = SEGMENTS.iter().map(|&(name, base, size)| ram_window(name, base, size));
    segments.chain([ram_window("smram", 0xa0000, 0x20000)]).collect()
}

/// What the host has been told of each window.
pub(crate) struct Windows {
    modes: [Mode; COUNT],
}

impl Windows {
    /// All windows show the bus: what the contract has after `configure`.
    pub(crate) const fn new() -> Self {
        Self { modes: [Mode::Bus; COUNT] }
    }

    /// Tells the host of those windows that the registers have changed.
    pub(crate) fn apply(
        &mut self,
        registers: &Registers<CONFIGURATION_SIZE>,
        cx: &mut Context<'_>,
    ) {
        for (window, mode) in self.modes.iter_mut().enumerate() {
            let now = mode_of(window, registers);
            if *mode != now {
                *mode = now;
                cx.set_window(window as u32, now);
            }
        }
    }
}

/// What a window shows.
fn mode_of(window: usize, registers: &Registers<CONFIGURATION_SIZE>) -> Mode {
    if window >= SEGMENTS.len() {
        return Smram::from_bits(registers.get(SMRAM, 1) as u8).mode();
    }
    // Two segments share a register; the low half of the first is reserved.
    let nibble = window + 1;
    let register = registers.get(PAM + nibble / 2, 1) as u8;
    Attributes::from_bits(register >> (4 * (nibble % 2))).mode()
}
