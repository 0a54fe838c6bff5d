//! The update at each second, and the alarm.

use southbridge_sdk::Context;
use southbridge_sdk::wit::WakeupReason;

use crate::regs::*;
use crate::time::{LAST, SECOND};
use crate::{Mc146818, UPDATE};

const MINUTE: i64 = 60;
const HOUR: i64 = 60;
const DAY: i64 = 24;

impl Mc146818 {
    /// Decides when the next update has to be told: at the next second, or only
    /// at the alarm if the guest has not acknowledged the last one.
    pub(crate) fn schedule_update(&mut self, cx: &mut Context<'_>) {
        if self.a().is_reset() {
            return self.set_update(cx, None);
        }
        let now = self.now(cx);
        let next = now.wrapping_add(SECOND - self.time.fraction(now));
        let until_alarm = self.seconds_to_alarm(now);
        self.next_alarm =
            next.wrapping_add((until_alarm as u64).wrapping_sub(1).wrapping_mul(SECOND));
        if self.a().update_in_progress() || !self.c().update() {
            self.set_update(cx, Some(next));
        } else if self.b().set() || self.c().alarm() {
            self.set_update(cx, None);
        } else {
            self.set_update(cx, Some(self.next_alarm));
        }
    }

    /// The time has changed.
    pub(crate) fn updated(&mut self, cx: &mut Context<'_>) {
        self.update = None;
        self.update_time(self.now(cx));
        self.memory[REGISTER_A] = self.a().with_update_in_progress(false).into();
        let mut flags = RegisterC::new().with_update(true);
        if self.now(cx) >= self.next_alarm {
            flags.set_alarm(true);
            if self.b().alarm_enabled() {
                cx.wake(WakeupReason::Rtc);
            }
        }
        let new = flags.into_bits() & !self.memory[REGISTER_C];
        self.memory[REGISTER_C] |= flags.into_bits();
        if new & self.memory[REGISTER_B] != 0 {
            self.raise(cx);
        }
        self.schedule_update(cx);
    }

    fn set_update(&mut self, cx: &mut Context<'_>, deadline: Option<u64>) {
        let deadline = deadline.map(|deadline| deadline.min(LAST));
        if self.update != deadline {
            self.update = deadline;
            self.arm(cx, UPDATE, deadline);
        }
    }

    /// Seconds until the alarm, 1 to a day. A register that stands for any value
    /// matches each.
    fn seconds_to_alarm(&mut self, now: u64) -> i64 {
        self.update_time(now);
        let alarm = |register: usize| self.decode(self.memory[register]);
        let time = |register: usize| self.decode(self.memory[register]).unwrap_or(-1);
        let (second, minute) = (time(SECONDS), time(MINUTES));
        // QEMU counts hours in a byte, and the bit of the afternoon as a digit.
        let hour = self.hour_of_day((time(HOURS) as u8).into());
        let alarm_hour = alarm(HOURS_ALARM).map(|hour| self.hour_of_day(hour));
        let at = next_match(
            (hour, minute, second),
            (alarm_hour, alarm(MINUTES_ALARM), alarm(SECONDS_ALARM)),
        );
        let minutes = (at.0 - hour) * HOUR + at.1 - minute;
        let seconds = minutes * MINUTE + at.2 - second;
        if seconds <= 0 { seconds + DAY * HOUR * MINUTE } else { seconds }
    }
}

/// The time of day of the next alarm: hour, minute, second.
fn next_match(
    (hour, minute, second): (i64, i64, i64),
    (any_hour, any_minute, any_second): (Option<i64>, Option<i64>, Option<i64>),
) -> (i64, i64, i64) {
    let mut at_hour = any_hour.unwrap_or(hour);
    let mut at_minute = any_minute.unwrap_or(0);
    let mut at_second = any_second.unwrap_or(0);
    let this_minute = any_minute.is_none_or(|any| any == minute);
    if at_hour == hour && this_minute {
        at_minute = minute;
        at_second = any_second.unwrap_or(second + 1);
        let has_passed = second > at_second;
        match (any_hour, any_minute) {
            (_, None) => at_minute += i64::from(has_passed),
            (None, Some(_)) => at_hour += i64::from(has_passed),
            (Some(_), Some(_)) => at_second %= MINUTE,
        }
        if at_second == MINUTE && (any_hour, any_minute) != (None, None) {
            // The next minute of this hour, or this minute of the next hour.
            at_second = 0;
            match any_hour {
                None => at_hour += 1,
                Some(_) => at_minute += 1,
            }
        }
        if any_hour.is_some() && any_minute.is_none() {
            at_minute %= HOUR;
        }
    } else if any_hour.is_none() && minute > at_minute {
        at_hour += 1;
    }
    if at_second == MINUTE {
        (at_minute, at_second) = (at_minute + 1, 0);
    }
    if at_minute == HOUR {
        (at_hour, at_minute) = (at_hour + 1, 0);
    }
    (at_hour % DAY, at_minute, at_second)
}
