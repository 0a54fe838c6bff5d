//! When timers expire.

use southbridge_sdk::Context;

use crate::Hpet;
use crate::regs::{PERIOD, TimerConfiguration};

/// Beyond it QEMU arms no timer.
const FARTHEST: u64 = i64::MAX as u64 / 2 / PERIOD;

/// A timer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timer {
    pub(crate) configuration: TimerConfiguration,
    pub(crate) comparator: u64,
    /// Address and data of its message.
    pub(crate) message: u64,
    pub(crate) period: u64,
    /// What expires next is that the counter wraps: a timer of 32 bits that is not
    /// periodic interrupts then, too.
    pub(crate) wraps: bool,
    pub(crate) deadline: Option<u64>,
}

impl Default for Timer {
    fn default() -> Self {
        let configuration = TimerConfiguration::new();
        Self {
            configuration,
            comparator: u64::MAX,
            message: 0,
            period: 0,
            wraps: false,
            deadline: None,
        }
    }
}

impl Timer {
    /// How far the counter is from the comparator; 0 if it is beyond it.
    fn distance(&self, ticks: u64) -> u64 {
        if self.configuration.mode_32() {
            let distance = (self.comparator as u32).wrapping_sub(ticks as u32);
            if distance as i32 > 0 { distance.into() } else { 0 }
        } else {
            let distance = self.comparator.wrapping_sub(ticks);
            if distance as i64 > 0 { distance } else { 0 }
        }
    }

    /// Moves the comparator of a periodic timer on by whole periods to where the
    /// counter is, or to the next after it.
    fn follow(&mut self, ticks: u64) {
        if self.configuration.mode_32() {
            let behind = (ticks as u32).wrapping_sub(self.comparator as u32);
            let period = self.period as u32;
            if behind as i32 > 0 && period > 0 {
                let steps = behind.div_ceil(period);
                let comparator = self.comparator as u32;
                self.comparator = comparator.wrapping_add(steps.wrapping_mul(period)).into();
            }
        } else {
            let behind = ticks.wrapping_sub(self.comparator);
            if behind as i64 > 0 && self.period > 0 {
                let steps = behind.div_ceil(self.period);
                self.comparator = self.comparator.wrapping_add(steps.wrapping_mul(self.period));
            }
        }
    }
}

impl Hpet {
    /// The main counter while it runs.
    pub(crate) const fn ticks(&self, now: u64) -> u64 {
        now.wrapping_add(self.offset) / PERIOD
    }

    /// Arms a timer as its registers say.
    pub(crate) fn start(&mut self, cx: &mut Context<'_>, number: usize) {
        let ticks = self.ticks(cx.now);
        let timer = &mut self.timers[number];
        let mut distance = timer.distance(ticks);
        timer.wraps = false;
        if timer.configuration.mode_32() && !timer.configuration.periodic() {
            let to_wrap = u64::from(u32::MAX - ticks as u32);
            if to_wrap < distance {
                (distance, timer.wraps) = (to_wrap, true);
            }
        }
        self.arm(cx, number, distance);
    }

    /// Disarms a timer and takes its interrupt back.
    pub(crate) fn stop(&mut self, cx: &mut Context<'_>, number: usize) {
        self.timers[number].deadline = None;
        cx.disarm(number as u32);
        if self.stop_lowers
            || self.interrupts.is_own(self.route(number), self.configuration.legacy())
        {
            self.update_interrupt(cx, number, false);
        }
        self.status &= !(1 << number);
    }

    pub(crate) fn expired(&mut self, cx: &mut Context<'_>, number: usize) {
        let ticks = self.ticks(cx.now);
        let timer = &mut self.timers[number];
        timer.deadline = None;
        if timer.configuration.periodic() && timer.period != 0 {
            timer.follow(ticks);
            let distance = timer.distance(ticks);
            self.arm(cx, number, distance);
        } else if timer.configuration.mode_32() && !timer.configuration.periodic() && timer.wraps {
            timer.wraps = false;
            let distance = timer.distance(ticks);
            self.arm(cx, number, distance);
        }
        self.update_interrupt(cx, number, true);
    }

    /// At least a tick from now, as in QEMU: a periodic timer that expires on time
    /// expires again a tick later, and moves on only then.
    fn arm(&mut self, cx: &mut Context<'_>, number: usize, ticks: u64) {
        let last = i64::MAX as u64;
        let deadline =
            (ticks < FARTHEST).then(|| cx.now.saturating_add(ticks.max(1) * PERIOD).min(last));
        self.timers[number].deadline = deadline;
        match deadline {
            Some(deadline) => cx.arm(number as u32, deadline),
            None => cx.disarm(number as u32),
        }
    }
}
