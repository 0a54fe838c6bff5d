//! What the demonstration measured.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// The result of a demonstration. Serializes as the object that `--json` prints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// How often processors left the guest for a device.
    pub exits: u64,
    /// Such exits per second while devices were replaced.
    pub accesses_per_second: f64,
    /// How often the device was replaced.
    pub swaps: u64,
    /// Median of the time for which an access to the device had to wait, in
    /// microseconds.
    pub blackout_us_p50: f64,
    /// The longest such time, in microseconds.
    pub blackout_us_max: f64,
    /// How often the guest checked everything while devices were replaced.
    pub turns: u32,
    /// Interrupts the guest provoked or waited for, all of which arrived.
    pub interrupts: u32,
    /// What the guest found wrong.
    pub guest_errors: u32,
}

/// What was measured of the replacements.
pub(super) struct Blackouts(Vec<Duration>);

impl Blackouts {
    pub(super) fn new(mut blackouts: Vec<Duration>) -> Self {
        blackouts.sort_unstable();
        Self(blackouts)
    }

    pub(super) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// The median in microseconds; 0 without replacements.
    pub(super) fn median(&self) -> f64 {
        micros(self.0.get(self.0.len() / 2))
    }

    /// The longest in microseconds; 0 without replacements.
    pub(super) fn longest(&self) -> f64 {
        micros(self.0.last())
    }
}

/// Microseconds with one digit behind the point: more would be noise.
fn micros(duration: Option<&Duration>) -> f64 {
    duration.map_or(0.0, |duration| (duration.as_secs_f64() * 1e7).round() / 10.0)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = [
            ("exits", self.exits.to_string()),
            ("accesses per second", format!("{:.0}", self.accesses_per_second)),
            ("swaps", self.swaps.to_string()),
            ("blackout, median", format!("{:.1} us", self.blackout_us_p50)),
            ("blackout, longest", format!("{:.1} us", self.blackout_us_max)),
            ("guest's rounds of checks", self.turns.to_string()),
            ("interrupts, none lost", self.interrupts.to_string()),
            ("guest errors", self.guest_errors.to_string()),
        ];
        for (name, value) in rows {
            writeln!(f, "  {name:<26}{value:>12}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blackouts_are_sorted_before_they_are_looked_at() {
        let blackouts = [30, 10, 20].map(Duration::from_micros).to_vec();
        let blackouts = Blackouts::new(blackouts);
        let numbers = (blackouts.count(), blackouts.median(), blackouts.longest());
        assert_eq!(numbers, (3, 20.0, 30.0));
        assert_eq!(Blackouts::new(Vec::new()).median(), 0.0);
    }
}
