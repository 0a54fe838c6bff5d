//! Interrupts: lines to the I/O APIC, or messages.

use southbridge_sdk::Context;

use crate::Hpet;

/// The outputs to the I/O APIC, a line for each input; `legacy` follows.
pub(crate) const OUTPUTS: u32 = 24;
pub(crate) const LEGACY: u32 = OUTPUTS;

/// The interrupts that timers 0 and 1 take over.
pub(crate) const PIT: u32 = 0;
pub(crate) const RTC: u32 = 8;

/// The addresses of the processors' local APICs.
const MESSAGES: core::ops::Range<u64> = 0xfee0_0000..0xfef0_0000;

/// The levels of the outputs.
#[derive(Debug, Default)]
pub(crate) struct Interrupts {
    /// A bit for each.
    pub(crate) levels: u32,
    /// What the real-time clock's interrupt is, held back or not.
    pub(crate) rtc: bool,
    /// What `legacy` says: a reset does not take it back.
    pub(crate) legacy: bool,
}

impl Interrupts {
    /// Drives an output; a timer can be routed to where nothing is.
    pub(crate) fn set(&mut self, cx: &mut Context<'_>, pin: u32, level: bool) {
        if pin < OUTPUTS {
            let bit = 1 << pin;
            self.levels = if level { self.levels | bit } else { self.levels & !bit };
            cx.set_line(pin, level);
        }
    }

    /// Whether an output is high, and not because the clock's interrupt goes through it.
    pub(crate) fn is_own(&self, pin: u32, is_legacy: bool) -> bool {
        let clocks = self.rtc && !is_legacy && pin == RTC;
        pin < OUTPUTS && self.levels & 1 << pin != 0 && !clocks
    }

    /// Says to the interval timer whether its interrupt is held back. When it is not, the
    /// timer drives it.
    pub(crate) fn say_legacy(&mut self, cx: &mut Context<'_>, is_legacy: bool) {
        self.legacy = is_legacy;
        cx.set_line(LEGACY, is_legacy);
    }

    /// Drives all outputs.
    pub(crate) fn drive(&self, cx: &mut Context<'_>) {
        (0..OUTPUTS).for_each(|pin| cx.set_line(pin, self.levels & 1 << pin != 0));
    }
}

impl Hpet {
    /// Where a timer's interrupt goes.
    pub(crate) fn route(&self, number: usize) -> u32 {
        match number {
            0 if self.configuration.legacy() => PIT,
            1 if self.configuration.legacy() => RTC,
            _ => self.timers[number].configuration.route(),
        }
    }

    /// Raises a timer's interrupt, if it is enabled, or takes it back.
    pub(crate) fn update_interrupt(&mut self, cx: &mut Context<'_>, number: usize, raise: bool) {
        let (timer, route, bit) = (self.timers[number], self.route(number), 1 << number);
        let configuration = timer.configuration;
        if !raise || !configuration.enabled() || !self.configuration.enabled() {
            self.status &= !bit;
            if !configuration.messages() {
                self.interrupts.set(cx, route, false);
            }
        } else if configuration.messages() {
            let (address, data) = (timer.message >> 32, timer.message as u32);
            if MESSAGES.contains(&address) {
                cx.dma_message(address, data);
            } else {
                cx.dma_write(address, &data.to_le_bytes());
            }
        } else if configuration.level() {
            self.status |= bit;
            self.interrupts.set(cx, route, true);
        } else {
            self.status &= !bit;
            self.interrupts.set(cx, route, true);
            self.interrupts.set(cx, route, false);
        }
    }

    /// The interval timer and the clock give their interrupts away, or get them back.
    pub(crate) fn set_legacy(&mut self, cx: &mut Context<'_>, is_legacy: bool) {
        if is_legacy {
            self.interrupts.say_legacy(cx, true);
            self.interrupts.set(cx, PIT, false);
        } else {
            self.interrupts.set(cx, PIT, false);
            self.interrupts.say_legacy(cx, false);
        }
        let rtc = self.interrupts.rtc && !is_legacy;
        self.interrupts.set(cx, RTC, rtc);
    }
}
