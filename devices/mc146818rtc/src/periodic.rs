//! The periodic interrupt.

use southbridge_sdk::Context;

use crate::regs::RegisterC;
use crate::regs::*;
use crate::time::LAST;
use crate::{Mc146818, PERIODIC};

/// The time base.
const HZ: u128 = 32_768;
const SECOND: u128 = 1_000_000_000;

/// The periodic interrupt's timer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Periodic {
    pub(crate) deadline: Option<u64>,
    /// The deadline as QEMU saves it: it stays when the timer stops.
    pub(crate) next: i64,
    /// The period in cycles of the time base; 0 for none.
    pub(crate) period: u32,
}

impl Mc146818 {
    /// The period that registers A and B ask for, in cycles of the time base.
    pub(crate) fn period(&self) -> u32 {
        let rate = self.a().rate();
        match rate {
            _ if !self.b().periodic_enabled() => 0,
            0 => 0,
            // The two lowest rates are those of 256 and 128 Hz again.
            1 | 2 => 1 << (rate + 6),
            _ => 1 << (rate - 1),
        }
    }

    /// The period may have changed from `old`: what has passed of it counts, but
    /// not more than the new one.
    pub(crate) fn change_period(&mut self, cx: &mut Context<'_>, old: u32) {
        let now = cycles(self.now(cx));
        let began = cycles(self.periodic.next as u64).wrapping_sub(old.into());
        let passed = if old == 0 { 0 } else { now.saturating_sub(began) };
        self.start_period(cx, now, passed);
    }

    /// A period has passed.
    pub(crate) fn period_passed(&mut self, cx: &mut Context<'_>) {
        self.start_period(cx, cycles(self.periodic.next as u64), 0);
        self.memory[REGISTER_C] = self.c().with_periodic(true).into();
        if self.b().periodic_enabled() {
            self.raise(cx);
        }
    }

    /// Starts a period at a cycle of which so many have already passed.
    fn start_period(&mut self, cx: &mut Context<'_>, now: u64, passed: u64) {
        let period = self.period();
        let mut deadline = None;
        if period != 0 {
            let end = now + u64::from(period) - passed.min(period.into());
            let nanoseconds = (u128::from(end) * SECOND / HZ + 1).min(LAST.into()) as u64;
            self.periodic.next = nanoseconds as i64;
            deadline = Some(nanoseconds);
        }
        self.periodic.period = period;
        self.periodic.deadline = deadline;
        self.arm(cx, PERIODIC, deadline);
    }

    /// Raises the interrupt.
    pub(crate) fn raise(&mut self, cx: &mut Context<'_>) {
        self.set_interrupt(cx, true);
    }

    /// Sets the interrupt and the bit that says so.
    pub(crate) fn set_interrupt(&mut self, cx: &mut Context<'_>, level: bool) {
        let c: RegisterC = self.c().with_interrupt(level);
        self.memory[REGISTER_C] = c.into();
        self.drive(cx);
    }
}

/// The cycles of the time base in so many nanoseconds.
fn cycles(nanoseconds: u64) -> u64 {
    (u128::from(nanoseconds) * HZ / SECOND) as u64
}
