//! What QEMU's monitor does on a recorded machine's clock.

use southbridge_sdk::fake::trace::{Request, Step};

/// How long the monitor holds back a further event of a kind, in nanoseconds.
const PAUSE: u64 = 1_000_000_000;

/// The data port of the real-time clock.
const CLOCK: u16 = 0x71;

/// When QEMU says that the guest has set its clock: `RTC_CHANGE`. With qtest it takes the
/// pause between such events from the machine's clock, so that a step to the next
/// deadline may be one to the end of a pause.
#[derive(Default)]
pub(crate) struct HeldEvents {
    set: Vec<u64>,
}

impl HeldEvents {
    /// Notes what a request may lead to.
    pub(crate) fn note(&mut self, request: Request<'_>, now: u64) {
        if let Request::Out { port: CLOCK, .. } = request {
            self.set.push(now);
        }
    }

    /// Where a step of the clock without a length ends, if the next deadline of a device
    /// is `own`.
    pub(crate) fn end(&self, step: &Step<'_>, own: Option<u64>, now: u64) -> u64 {
        let is_pause =
            |end: u64| self.set.iter().any(|set| end > *set && (end - set).is_multiple_of(PAUSE));
        let pause = step.value.filter(|end| own.is_none_or(|own| *end < own) && is_pause(*end));
        // QEMU 10.0 refuses if there is none; QEMU 7.2 stays where it is.
        pause.or(own).unwrap_or(now)
    }
}
