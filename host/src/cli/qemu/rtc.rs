//! `-rtc`.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::error::{Error, Problem};
use super::given::{Collected, Given};
use super::invocation::{Rtc, RtcBase, RtcClock};

const DATE_HINT: &str = "valid formats: '2006-06-17T16:01:21' or '2006-06-17'";

pub(super) fn rtc(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let list = given.known(all, None, &["base", "clock", "driftfix"])?;
    match list.get("driftfix") {
        None | Some("none") => {}
        Some("slew") => given.warn(all, "ticks that a guest missed are not made up for"),
        Some(other) => return Err(Error::new(format!("invalid option value '{other}'"))),
    }
    all.rtc.merge(list);
    Ok(())
}

/// What the guest's clock shows and goes by.
pub(super) fn resolve(all: &Collected) -> Result<Rtc, Error> {
    let base = match all.rtc.get("base") {
        None | Some("utc") => RtcBase::Utc,
        Some("localtime") => RtcBase::Localtime,
        Some(date) => RtcBase::Date(date_of(date).map_err(Problem::bare)?),
    };
    let clock = match all.rtc.get("clock") {
        None | Some("host") => RtcClock::Host,
        Some("rt") => RtcClock::Realtime,
        Some("vm") => RtcClock::Virtual,
        Some(other) => return Err(Error::new(format!("invalid option value '{other}'"))),
    };
    Ok(Rtc { base, clock })
}

/// A date, perhaps with a time, to seconds since 1970.
fn date_of(text: &str) -> Result<u64, Problem> {
    let (day, time) = text.split_once('T').unwrap_or((text, "0:0"));
    let date = match (numbers(day, '-').as_deref(), numbers(time, ':').as_deref()) {
        (Some([year, month, day]), Some([hour, minute, rest @ ..])) if rest.len() < 2 => {
            let second = rest.first().copied().unwrap_or(0);
            date(*year, [*month, *day, *hour, *minute, second])
        }
        _ => None,
    };
    let wrong = || Problem { text: "invalid datetime format".into(), hint: Some(DATE_HINT) };
    let second = date.and_then(|date| TimeZone::UTC.to_timestamp(date).ok());
    let second = second.map(Timestamp::as_second).and_then(|second| u64::try_from(second).ok());
    second.ok_or_else(wrong)
}

fn date(year: i16, rest: [i16; 5]) -> Option<DateTime> {
    let [month, day, hour, minute, second] = rest.map(|number| i8::try_from(number).unwrap_or(-1));
    DateTime::new(year, month, day, hour, minute, second, 0).ok()
}

/// Numbers between separators; they need no leading zeros.
fn numbers(text: &str, separator: char) -> Option<Vec<i16>> {
    let plain = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let number = |part: &str| Some(part).filter(plain)?.parse().ok();
    text.split(separator).map(number).collect()
}

impl Rtc {
    /// What the clock shows at the start, in seconds since 1970; none if that is
    /// the time.
    #[must_use]
    pub fn start(&self) -> Option<u64> {
        match self.base {
            RtcBase::Utc => None,
            RtcBase::Date(second) => Some(second),
            RtcBase::Localtime => {
                let now = Zoned::now();
                let second = now.timestamp().as_second() + i64::from(now.offset().seconds());
                Some(u64::try_from(second).unwrap_or(0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_utc() {
        assert_eq!(date_of("2020-03-27T15:18:41"), Ok(1_585_322_321));
        assert_eq!(date_of("1970-01-02"), Ok(86_400));
        assert_eq!(date_of("2020-3-27T15:18"), Ok(1_585_322_280));
        for text in [
            "2020-01-01T",
            "2020-01-01T1",
            "+2020-01-01",
            "2020-01-01T1:2:3:4",
            "",
            "foo",
            "now",
            "20200101",
            "2020-13-27",
            "1969-01-01",
            "2020-01-01T25:00:00",
        ] {
            assert_eq!(date_of(text).expect_err(text).text, "invalid datetime format", "{text}");
        }
    }

    #[test]
    fn local_time_is_within_a_day_of_utc() {
        let rtc = Rtc { base: RtcBase::Localtime, clock: RtcClock::Host };
        let local = i64::try_from(rtc.start().expect("a time")).expect("fits");
        assert!((local - Timestamp::now().as_second()).abs() <= 86_400);
    }
}
