//! The inputs, their requests, and how requests become messages.

use southbridge_sdk::Context;

use crate::regs::Entry;

/// The number of inputs.
pub(crate) const PINS: usize = 24;

/// After how many ends of a level-triggered interrupt, which is requested each
/// time again, the next message waits: a guest that does not quiet its device
/// shall get on all the same.
const STORM: u32 = 10_000;

/// How long it waits, in nanoseconds.
const PAUSE: u64 = 10_000_000;

/// The redirection table with what has been requested.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pins {
    pub(crate) entries: [Entry; PINS],
    /// The interrupt request register, which no guest sees.
    pub(crate) irr: u32,
    /// How often in succession each interrupt was requested at its end.
    pub(crate) repeats: [u32; PINS],
    /// When requests that wait are looked at.
    pub(crate) wakes: Option<u64>,
}

impl Pins {
    /// An input is driven: to QEMU each high level is an edge.
    pub(crate) fn set(&mut self, cx: &mut Context<'_>, pin: usize, level: bool) {
        let Some(entry) = self.entries.get(pin) else { return };
        let bit = 1 << pin;
        match (entry.level(), level) {
            (true, false) => self.irr &= !bit,
            (true, true) => {
                self.irr |= bit;
                if !entry.remote_irr() {
                    self.deliver(cx);
                }
            }
            (false, true) if !entry.masked() => {
                self.irr |= bit;
                self.deliver(cx);
            }
            (false, _) => {}
        }
    }

    /// A guest writes half of an entry.
    pub(crate) fn write(&mut self, cx: &mut Context<'_>, pin: usize, upper: bool, value: u32) {
        if let Some(entry) = self.entries.get_mut(pin) {
            *entry = entry.written(upper, value);
            self.repeats[pin] = 0;
            self.deliver(cx);
        }
    }

    /// A processor has ended an interrupt. Returns whether requests wait now.
    pub(crate) fn end(&mut self, cx: &mut Context<'_>, vector: u8) -> bool {
        let mut waits = false;
        for pin in 0..PINS {
            let entry = &mut self.entries[pin];
            if entry.vector() != vector || !entry.level() || !entry.remote_irr() {
                continue;
            }
            entry.set_remote_irr(false);
            if entry.masked() || self.irr & 1 << pin == 0 {
                self.repeats[pin] = 0;
                continue;
            }
            self.repeats[pin] += 1;
            if self.repeats[pin] < STORM {
                self.deliver(cx);
            } else {
                self.repeats[pin] = 0;
                let wakes = cx.now.saturating_add(PAUSE);
                self.wakes = Some(self.wakes.map_or(wakes, |earlier| earlier.min(wakes)));
                waits = true;
            }
        }
        waits
    }

    /// Sends what is requested, not masked, and not being served.
    pub(crate) fn deliver(&mut self, cx: &mut Context<'_>) {
        for (pin, entry) in self.entries.iter_mut().enumerate() {
            let bit = 1 << pin;
            if self.irr & bit == 0 || entry.masked() {
                continue;
            }
            if !entry.level() {
                self.irr &= !bit;
            } else if entry.remote_irr() {
                continue;
            } else {
                entry.set_remote_irr(true);
            }
            let (address, data) = entry.message();
            cx.dma_message(address, data);
        }
    }
}

/// The count of repeats that a saved state may have.
pub(crate) const MOST_REPEATS: u32 = STORM - 1;
