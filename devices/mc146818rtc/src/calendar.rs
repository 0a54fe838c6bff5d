//! From seconds to a date and back, in the proleptic Gregorian calendar.

/// A date and a time of day. Fields that a guest has written may be out of
/// range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) second: i64,
    pub(crate) minute: i64,
    pub(crate) hour: i64,
    /// 1 is Sunday.
    pub(crate) day_of_week: i64,
    /// From 1.
    pub(crate) day: i64,
    /// From 1.
    pub(crate) month: i64,
    pub(crate) year: i64,
}

const DAY: i64 = 86_400;

impl Date {
    /// The date so many seconds after the beginning of 1970.
    pub(crate) fn at(seconds: i64) -> Self {
        let (days, time) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        // Years that begin in March, in eras of 400 years: the leap day is the
        // last of its year, and months follow a linear rule.
        let since = days + 719_468;
        let (era, day) = (since.div_euclid(146_097), since.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let is_next_year = month >= 10;
        Self {
            second: time % 60,
            minute: time / 60 % 60,
            hour: time / 3_600,
            // 1 January 1970 was a Thursday.
            day_of_week: (days + 4).rem_euclid(7) + 1,
            day: day - (153 * month + 2) / 5 + 1,
            month: if is_next_year { month - 9 } else { month + 3 },
            year: 400 * era + year + i64::from(is_next_year),
        }
    }

    /// Seconds since the beginning of 1970. What is out of range counts on, by
    /// QEMU's rule; the day of the week counts for nothing.
    pub(crate) fn seconds(&self) -> i64 {
        let Self { second, minute, hour, day, month, year, .. } = *self;
        let (year, month) = if month < 3 { (year - 1, month + 12) } else { (year, month) };
        let leap_days = year / 4 - year / 100 + year / 400;
        let days = day + (153 * month - 457) / 5 + 365 * year + leap_days - 719_469;
        DAY * days + 3_600 * hour + 60 * minute + second
    }
}
