//! The registers, as a guest reaches them: 32 bits at a time.

use southbridge_sdk::Context;

use crate::Hpet;
use crate::regs::{self, Configuration, PERIOD, TimerConfiguration};

impl Hpet {
    pub(crate) fn read(&self, now: u64, offset: u64) -> u32 {
        (self.register(now, offset & !7) >> (8 * (offset & 4))) as u32
    }

    fn register(&self, now: u64, offset: u64) -> u64 {
        if let Some((number, register)) = self.timer_register(offset) {
            let timer = &self.timers[number];
            return match register {
                regs::timer::CONFIGURATION => timer.configuration.into(),
                regs::timer::COMPARATOR => timer.comparator,
                regs::timer::MESSAGE => timer.message,
                _ => 0,
            };
        }
        match offset {
            regs::CAPABILITY => regs::CAPABILITIES | (self.timers.len() as u64 - 1) << 8,
            // QEMU has only the lower half.
            regs::CONFIGURATION => self.configuration.into_bits() & u64::from(u32::MAX),
            regs::STATUS => self.status & u64::from(u32::MAX),
            regs::COUNTER if self.configuration.enabled() => self.ticks(now),
            regs::COUNTER => self.counter,
            _ => 0,
        }
    }

    pub(crate) fn write(&mut self, cx: &mut Context<'_>, offset: u64, value: u32) {
        let is_upper = offset & 4 != 0;
        if let Some((number, register)) = self.timer_register(offset & !7) {
            match register {
                regs::timer::CONFIGURATION if !is_upper => self.configure_timer(cx, number, value),
                regs::timer::COMPARATOR => self.write_comparator(cx, number, is_upper, value),
                regs::timer::MESSAGE => {
                    let message = &mut self.timers[number].message;
                    *message = with_half(*message, is_upper, value);
                }
                _ => {}
            }
            return;
        }
        match offset {
            regs::CONFIGURATION => self.write_configuration(cx, value),
            regs::STATUS => {
                let ended = self.status & u64::from(value);
                for number in (0..self.timers.len()).filter(|number| ended & 1 << number != 0) {
                    self.update_interrupt(cx, number, false);
                }
            }
            _ if offset & !7 == regs::COUNTER => {
                self.counter = with_half(self.counter, is_upper, value);
            }
            _ => {}
        }
    }

    fn configure_timer(&mut self, cx: &mut Context<'_>, number: usize, value: u32) {
        let old = self.timers[number].configuration;
        if TimerConfiguration::from_bits(value.into()).messages() && !old.messages() {
            self.update_interrupt(cx, number, false);
        }
        let timer = &mut self.timers[number];
        let writable = TimerConfiguration::WRITABLE;
        let new = old.into_bits() & !writable | u64::from(value) & writable;
        timer.configuration = new.into();
        if timer.configuration.mode_32() {
            timer.comparator &= u64::from(u32::MAX);
            timer.period &= u64::from(u32::MAX);
        }
        let is_enabled = timer.configuration.enabled();
        if is_enabled && !old.enabled() && self.configuration.enabled() {
            self.start(cx, number);
        } else if old.enabled() && !is_enabled {
            self.stop(cx, number);
        }
    }

    fn write_comparator(
        &mut self,
        cx: &mut Context<'_>,
        number: usize,
        is_upper: bool,
        value: u32,
    ) {
        let timer = &mut self.timers[number];
        let configuration = timer.configuration;
        let is_periodic = configuration.periodic();
        if !is_periodic || configuration.value_set() {
            timer.comparator = with_half(timer.comparator, is_upper, value);
        }
        if is_periodic {
            // As in QEMU the longest period of a timer of 32 bits has 31.
            let value = if configuration.mode_32() { value & i32::MAX as u32 } else { value };
            timer.period = with_half(timer.period, is_upper, value);
        }
        timer.configuration.set_value_set(false);
        if self.configuration.enabled() {
            self.start(cx, number);
        }
    }

    fn write_configuration(&mut self, cx: &mut Context<'_>, value: u32) {
        let old = self.configuration;
        let new = Configuration::from_bits(value.into());
        self.configuration.set_enabled(new.enabled());
        self.configuration.set_legacy(new.legacy());
        if new.enabled() && !old.enabled() {
            self.offset = self.counter.wrapping_mul(PERIOD).wrapping_sub(cx.now);
            for number in 0..self.timers.len() {
                if self.timers[number].comparator != u64::MAX {
                    self.start(cx, number);
                }
            }
        } else if old.enabled() && !new.enabled() {
            self.counter = self.ticks(cx.now);
            (0..self.timers.len()).for_each(|number| self.stop(cx, number));
        }
        if new.legacy() != old.legacy() {
            self.set_legacy(cx, new.legacy());
        }
    }

    /// The timer a register belongs to, and which it is there.
    fn timer_register(&self, offset: u64) -> Option<(usize, u64)> {
        let from_first = offset.checked_sub(regs::TIMERS)?;
        let number = usize::try_from(from_first / 0x20).ok()?;
        (number < self.timers.len()).then_some((number, from_first % 0x20))
    }
}

/// A register of which one half is written.
const fn with_half(register: u64, is_upper: bool, value: u32) -> u64 {
    let lower = u32::MAX as u64;
    if is_upper {
        register & lower | (value as u64) << 32
    } else {
        register & !lower | value as u64
    }
}
