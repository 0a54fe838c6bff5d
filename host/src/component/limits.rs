//! How much a device may use.

use std::time::{Duration, Instant};

/// Core instances of a device: the module itself and the adapters of the
/// canonical ABI are a handful.
pub(super) const INSTANCES: u32 = 16;

/// Linear memories of a device.
pub(super) const MEMORIES: u32 = 1;

/// Tables of a device.
pub(super) const TABLES: u32 = 4;

/// The limits of one device.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a call may take. The granularity is a millisecond.
    pub deadline: Duration,
    /// Bytes of linear memory.
    pub memory: usize,
    /// Elements of a table.
    pub table: usize,
    /// Effects of a call, with those of the devices on its buses.
    pub effects: usize,
    /// Log messages per second.
    pub messages: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Long enough that a busy host does not pass for a looping device.
            deadline: Duration::from_secs(1),
            memory: 16 << 20,
            table: 10_000,
            effects: 4096,
            messages: 100,
        }
    }
}

/// Lets a number of messages through per second, and counts the rest.
pub(super) struct MessageRate {
    most: u32,
    second: Instant,
    passed: u32,
    dropped: u64,
}

impl MessageRate {
    pub(super) fn new(most: u32) -> Self {
        Self { most, second: Instant::now(), passed: 0, dropped: 0 }
    }

    /// Whether a message may pass. When a new second begins, also how many were
    /// dropped in the last.
    pub(super) fn pass(&mut self) -> (bool, Option<u64>) {
        let mut report = None;
        if self.second.elapsed() >= Duration::from_secs(1) {
            self.second = Instant::now();
            self.passed = 0;
            report = Some(std::mem::take(&mut self.dropped)).filter(|&dropped| dropped > 0);
        }
        let pass = self.passed < self.most;
        if pass {
            self.passed += 1;
        } else {
            self.dropped += 1;
        }
        (pass, report)
    }

    /// Pretends that the second is over.
    #[cfg(test)]
    pub(super) fn begin_second(&mut self) {
        self.second -= Duration::from_secs(1);
    }
}
