//! The time registers: what they say, and what a guest sets them to.

use southbridge_sdk::Context;

use crate::Mc146818;
use crate::calendar::Date;
use crate::regs::*;

pub(crate) const SECOND: u64 = 1_000_000_000;

/// The last nanosecond of QEMU's clocks, which are signed.
pub(crate) const LAST: u64 = i64::MAX as u64;

/// How long before an update the guest is warned: 8 cycles of 32768 Hz.
const WARNING: u64 = 8 * SECOND / 32_768;

/// Where the time comes from: it was `base` seconds after the beginning of 1970,
/// and `offset` nanoseconds, when the clock that counts was at `since`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TimeBase {
    pub(crate) base: u64,
    pub(crate) since: u64,
    pub(crate) offset: i64,
    /// How much the clock that counts here is ahead of the machine's time, in
    /// nanoseconds modulo 2^64: QEMU's counts from 1970, unless told otherwise.
    pub(crate) ahead: u64,
    /// Until QEMU 7.2 the nanoseconds since 1970 are 64 bits wide and wrap: a
    /// date before 1678 or after 2262 reads as another.
    pub(crate) wraps: bool,
}

impl TimeBase {
    /// The guest's time in seconds.
    pub(crate) fn seconds(self, now: u64) -> i64 {
        let nanoseconds = self.nanoseconds(now);
        let second = i128::from(SECOND);
        (if self.wraps { nanoseconds / second } else { nanoseconds.div_euclid(second) }) as i64
    }

    /// The nanoseconds in this second. Where the time has wrapped QEMU takes
    /// them from the number without its sign.
    pub(crate) fn fraction(self, now: u64) -> u64 {
        let nanoseconds = self.nanoseconds(now);
        if self.wraps {
            nanoseconds as u64 % SECOND
        } else {
            nanoseconds.rem_euclid(SECOND.into()) as u64
        }
    }

    fn nanoseconds(self, now: u64) -> i128 {
        let base = i128::from(self.base as i64) * i128::from(SECOND);
        let whole = base + i128::from(now) - i128::from(self.since) + i128::from(self.offset);
        if self.wraps { (whole as i64).into() } else { whole }
    }
}

impl Mc146818 {
    pub(crate) fn a(&self) -> RegisterA {
        self.memory[REGISTER_A].into()
    }

    pub(crate) fn b(&self) -> RegisterB {
        self.memory[REGISTER_B].into()
    }

    pub(crate) fn c(&self) -> RegisterC {
        self.memory[REGISTER_C].into()
    }

    /// What the clock that counts shows.
    pub(crate) fn now(&self, cx: &Context<'_>) -> u64 {
        cx.now.wrapping_add(self.time.ahead)
    }

    /// Finds out how far ahead the clock was that a loaded state counts by,
    /// which a stream does not say, but the time registers in it do: the
    /// machine's own time if that goes with them, else one that goes on with
    /// the second they show. They need not show any time there can be.
    pub(crate) fn follow_loaded_clock(&mut self, now: u64) {
        let TimeBase { base, since, offset, .. } = self.time;
        let second = i128::from(SECOND);
        let elapsed = (i128::from(self.date().seconds()) - i128::from(base as i64)) * second;
        let shown = i128::from(since) + elapsed - i128::from(offset);
        let is_own =
            if self.runs() { (shown..shown + second).contains(&now.into()) } else { since <= now };
        let shown = u64::try_from(shown).ok().filter(|shown| *shown <= LAST);
        let then = shown.filter(|_| self.runs()).unwrap_or(since);
        self.time.ahead = if is_own { 0 } else { then.wrapping_sub(now) };
    }

    /// Whether the time goes on.
    pub(crate) fn runs(&self) -> bool {
        !self.b().set() && self.a().runs()
    }

    /// Brings the time registers up to date, unless the guest is setting them.
    pub(crate) fn update_time(&mut self, now: u64) {
        if self.b().set() {
            return;
        }
        let date = Date::at(self.time.seconds(now));
        let hours = match (self.b().hours_24(), date.hour % 12) {
            (true, _) => self.encode(date.hour),
            (false, hour) => {
                let hour = self.encode(if hour == 0 { 12 } else { hour });
                if date.hour >= 12 { hour | PM } else { hour }
            }
        };
        self.memory[HOURS] = hours;
        for (register, value) in [
            (SECONDS, date.second),
            (MINUTES, date.minute),
            (DAY_OF_WEEK, date.day_of_week),
            (DAY_OF_MONTH, date.day),
            (MONTH, date.month),
            (YEAR, date.year % 100),
            (CENTURY, date.year / 100),
        ] {
            self.memory[register] = self.encode(value);
        }
    }

    /// Takes the time from the registers.
    pub(crate) fn set_time(&mut self, now: u64) {
        (self.time.base, self.time.since) = (self.date().seconds() as u64, now);
    }

    /// What the time registers say.
    fn date(&self) -> Date {
        let value = |register: usize| self.decode(self.memory[register]).unwrap_or(-1);
        let hours = self.decode(self.memory[HOURS] & !PM).unwrap_or(-1);
        Date {
            second: value(SECONDS),
            minute: value(MINUTES),
            hour: self.hour_of_day(hours),
            day_of_week: value(DAY_OF_WEEK),
            day: value(DAY_OF_MONTH),
            month: value(MONTH),
            year: value(YEAR) + 100 * value(CENTURY),
        }
    }

    /// Whether the time is about to change. The first read that sees it keeps it
    /// so until the update.
    pub(crate) fn is_update_near(&mut self, now: u64) -> bool {
        if !self.runs() {
            return false;
        }
        if self.update.is_some_and(|update| now >= update.saturating_sub(WARNING)) {
            self.memory[REGISTER_A] = self.a().with_update_in_progress(true).into();
            return true;
        }
        self.time.fraction(now) >= SECOND - WARNING
    }

    /// The hour that counts to 24. In 12-hour mode the bit that says whether it
    /// is after noon is always that of the time, for QEMU also in the alarm.
    pub(crate) fn hour_of_day(&self, hour: i64) -> i64 {
        if self.b().hours_24() {
            hour
        } else {
            hour % 12 + if self.memory[HOURS] & PM != 0 { 12 } else { 0 }
        }
    }

    /// The number a register holds; none if its two highest bits are set, which
    /// in an alarm register stands for any.
    pub(crate) fn decode(&self, raw: u8) -> Option<i64> {
        let value = if self.b().binary() { raw } else { (raw >> 4) * 10 + (raw & 0x0f) };
        (raw & 0xc0 != 0xc0).then_some(value.into())
    }

    fn encode(&self, value: i64) -> u8 {
        if self.b().binary() { value as u8 } else { (((value / 10) << 4) | (value % 10)) as u8 }
    }
}
