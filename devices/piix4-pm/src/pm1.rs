//! The ACPI fixed hardware: events, control and timer.

use southbridge_sdk::Context;
use southbridge_sdk::wit::{Request, WakeupReason};

use crate::description::OVERFLOW;
use crate::regs::{PowerControl, event};

/// The timer's frequency in Hz (ACPI 1.0, 4.7.2.1).
const FREQUENCY: u128 = 3_579_545;
const SECOND: u128 = 1_000_000_000;

/// Ticks after which bit 23 of the timer changes.
const HALF_PERIOD: i64 = 1 << 23;

/// SUS_TYP as QEMU's ACPI tables have it: off.
const SLEEP_SOFT_OFF: u8 = 0;
/// Suspend to RAM.
const SLEEP_TO_RAM: u8 = 1;

/// PMSTS, PMEN, PMCNTRL and PMTMR.
#[derive(Clone, Debug)]
pub(crate) struct Pm1 {
    pub(crate) sts: u16,
    pub(crate) en: u16,
    pub(crate) control: PowerControl,
    /// The tick from which on TMROF_STS is set.
    pub(crate) overflow_time: i64,
    /// When the overflow timer expires, if it is armed.
    pub(crate) timer: Option<u64>,
    s4_val: u8,
    /// SCI_EN is always set: there is no other mode to switch to.
    acpi_only: bool,
    byte_access: bool,
}

/// How far the deadline of a tick may be from it for rounding, in nanoseconds.
const TICK: u64 = (SECOND / FREQUENCY) as u64 + 1;

/// The timer's ticks at a time, rounded down.
fn ticks(now: u64) -> i64 {
    (u128::from(now) * FREQUENCY / SECOND) as i64
}

/// The time of a tick, rounded down: so it can come before the tick.
fn time(ticks: i64) -> u64 {
    (u128::from(ticks as u64) * SECOND / FREQUENCY) as u64
}

impl Pm1 {
    pub(crate) fn new(s4_val: u8, acpi_only: bool, byte_access: bool) -> Self {
        let control = PowerControl::new().with_sci_en(acpi_only);
        Self {
            sts: 0,
            en: 0,
            control,
            overflow_time: 0,
            timer: None,
            s4_val,
            acpi_only,
            byte_access,
        }
    }

    /// A system reset; QEMU up to 5.2 did not have it.
    pub(crate) fn reset(&mut self, cx: &mut Context<'_>) {
        *self = Self::new(self.s4_val, self.acpi_only, self.byte_access);
        cx.disarm(OVERFLOW);
        self.enable_wakeups(cx, event::SCI);
    }

    /// PMSTS, with TMROF_STS brought up to date.
    pub(crate) fn status(&mut self, now: u64) -> u16 {
        // Times are compared, not ticks, because the timer is set to a time.
        if now >= time(self.overflow_time) {
            self.sts |= event::TMROF;
        }
        self.sts
    }

    /// Whether an enabled event is set in a status.
    pub(crate) const fn asserts_sci(&self, status: u16) -> bool {
        status & self.en & event::SCI != 0
    }

    /// Reads PMSTS or PMEN; bytes at odd offsets read as zero, as in QEMU.
    pub(crate) fn read_event(&mut self, now: u64, offset: u64) -> u16 {
        match offset {
            0 => self.status(now),
            2 => self.en,
            _ => 0,
        }
    }

    /// Writes PMSTS or PMEN; bytes at odd offsets are dropped, as in QEMU.
    pub(crate) fn write_event(&mut self, cx: &mut Context<'_>, offset: u64, value: u16) {
        match offset {
            0 => {
                if self.status(cx.now) & value & event::TMROF != 0 {
                    let next = ticks(cx.now).wrapping_add(HALF_PERIOD);
                    self.overflow_time = next & !(HALF_PERIOD - 1);
                }
                self.sts &= !value;
            }
            2 => {
                let changed = self.en ^ value;
                self.en = value;
                self.enable_wakeups(cx, changed);
            }
            _ => {}
        }
    }

    /// What no single field of a loaded state tells. QEMU sets the timer to the
    /// overflow and nothing else, and takes from a stream what it gets.
    pub(crate) fn check(&self) -> Result<(), String> {
        let last = ticks(i64::MAX as u64);
        if !(0..=last).contains(&self.overflow_time) {
            let found = self.overflow_time;
            return Err(format!("ar.tmr.overflow_time {found}: 0 to {last} expected"));
        }
        let overflow = time(self.overflow_time);
        match self.timer {
            Some(timer) if timer == 0 || timer.abs_diff(overflow) > TICK => {
                Err(format!("ar.tmr.timer {timer}: {overflow}, the overflow, or none expected"))
            }
            _ => Ok(()),
        }
    }

    /// Says which of the events in `mask` may wake the machine.
    pub(crate) fn enable_wakeups(&self, cx: &mut Context<'_>, mask: u16) {
        let reasons = [(event::RTC, WakeupReason::Rtc), (event::TMROF, WakeupReason::PmTimer)];
        for (event, reason) in reasons {
            if mask & event != 0 {
                cx.enable_wakeup(reason, self.en & event != 0);
            }
        }
    }

    /// Reads PMCNTRL. QEMU 7.2 answers with the whole register whichever byte is
    /// meant.
    pub(crate) fn read_control(&self, offset: u64) -> u16 {
        let value = self.control.into_bits();
        if self.byte_access && offset != 0 { value >> 8 } else { value }
    }

    /// Writes PMCNTRL. A byte at its low half clears the high half in every
    /// QEMU; 7.2 takes a byte at the high half for one at the low half.
    pub(crate) fn write_control(&mut self, cx: &mut Context<'_>, offset: u64, value: u16) {
        let low = self.control.into_bits() & 0xff;
        let value = if self.byte_access && offset != 0 { value << 8 | low } else { value };
        let written = PowerControl::from_bits(value);
        self.control = written.with_sus_en(false);
        self.keep_sci_en();
        if written.sus_en() {
            self.sleep(cx, written.sus_typ());
        }
    }

    /// Sets or clears SCI_EN.
    pub(crate) fn set_sci_en(&mut self, enabled: bool) {
        self.control.set_sci_en(enabled);
        self.keep_sci_en();
    }

    fn keep_sci_en(&mut self) {
        if self.acpi_only {
            self.control.set_sci_en(true);
        }
    }

    fn sleep(&self, cx: &mut Context<'_>, kind: u8) {
        match kind {
            SLEEP_SOFT_OFF => cx.ask_power(Request::Shutdown),
            SLEEP_TO_RAM => cx.ask_power(Request::Suspend),
            kind if kind == self.s4_val => cx.ask_power(Request::SuspendToDisk),
            _ => {}
        }
    }

    /// PMTMR: 24 bits. In every width and at every offset the count begins with
    /// its lowest byte, as in QEMU.
    pub(crate) fn count(now: u64) -> u64 {
        ticks(now) as u64 & 0xff_ffff
    }

    /// Arms the overflow timer if an overflow would raise the SCI anew.
    pub(crate) fn schedule(&mut self, cx: &mut Context<'_>, status: u16) {
        let wanted = self.en & event::TMROF != 0 && status & event::TMROF == 0;
        let timer = wanted.then(|| time(self.overflow_time));
        if timer != self.timer {
            self.timer = timer;
            self.drive_timer(cx);
        }
    }

    /// Sets the overflow timer as the state says.
    pub(crate) fn drive_timer(&self, cx: &mut Context<'_>) {
        match self.timer {
            Some(deadline) => cx.arm(OVERFLOW, deadline),
            None => cx.disarm(OVERFLOW),
        }
    }

    /// The power button. Returns whether it is enabled.
    pub(crate) fn press_button(&mut self) -> bool {
        let enabled = self.en & event::PWRBTN != 0;
        if enabled {
            self.sts |= event::PWRBTN;
        }
        enabled
    }

    /// Notes why the machine has been resumed. What is neither the clock nor
    /// the timer QEMU passes off as the power button.
    pub(crate) fn resume(&mut self, reason: WakeupReason) {
        self.sts |= event::RSM
            | match reason {
                WakeupReason::Rtc => event::RTC,
                WakeupReason::PmTimer => event::TMROF,
                WakeupReason::Other => event::PWRBTN,
            };
    }
}
