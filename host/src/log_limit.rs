//! How much a guest or a device can have the host log.

use std::sync::Arc;
use std::time::{Duration, Instant};

/// Lets so many messages through per second, on the host's time, and counts the
/// rest: a bucket that holds the messages of one second and fills evenly.
///
/// What was dropped is said in one line with the next message that passes, or at
/// the latest when the source of the messages goes.
#[derive(Debug)]
pub struct LogLimit {
    /// Whose messages they are, as the log names it.
    source: Arc<str>,
    /// How long the bucket takes to get room for one more.
    each: Duration,
    /// When the bucket will be full again if nothing more passes.
    full_at: Instant,
    /// How far in the future that may be.
    burst: Duration,
    unsaid: u64,
    dropped: u64,
}

impl LogLimit {
    /// A limit of `per_second` messages, at least one.
    #[must_use]
    pub fn new(source: Arc<str>, per_second: u32) -> Self {
        let each = Duration::from_secs(1) / per_second.max(1);
        let burst = each * per_second.max(1);
        Self { source, each, full_at: Instant::now(), burst, unsaid: 0, dropped: 0 }
    }

    /// Whether a message may be logged now. It counts as dropped if not.
    pub fn pass(&mut self) -> bool {
        self.pass_at(Instant::now())
    }

    /// How many messages were dropped, since there is this limit.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    fn pass_at(&mut self, now: Instant) -> bool {
        let full_at = self.full_at.max(now) + self.each;
        let passes = full_at - now <= self.burst;
        if passes {
            self.full_at = full_at;
            self.say();
        } else {
            self.unsaid += 1;
            self.dropped += 1;
        }
        passes
    }

    /// Says how many were dropped since the last time, if any.
    fn say(&mut self) {
        let dropped = std::mem::take(&mut self.unsaid);
        if dropped > 0 {
            tracing::warn!(source = &*self.source, dropped, "{dropped} messages dropped");
        }
    }
}

impl Drop for LogLimit {
    fn drop(&mut self) {
        self.say();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_room_for_so_many_and_fills_evenly() {
        let mut limit = LogLimit::new("test".into(), 4);
        let start = Instant::now();
        let at = |limit: &mut LogLimit, milliseconds: u64, tries: usize| {
            let now = start + Duration::from_millis(milliseconds);
            (0..tries).filter(|_| limit.pass_at(now)).count()
        };
        assert_eq!(at(&mut limit, 0, 10), 4);
        assert_eq!(limit.dropped(), 6);
        assert_eq!(at(&mut limit, 249, 10), 0);
        assert_eq!(at(&mut limit, 251, 10), 1);
        assert_eq!(at(&mut limit, 760, 10), 2);
        // However long it was quiet.
        assert_eq!(at(&mut limit, 1_000_000, 10), 4);
        assert_eq!(limit.dropped(), 6 + 10 + 9 + 8 + 6);
    }

    #[test]
    fn what_was_dropped_is_said_once() {
        let mut limit = LogLimit::new("test".into(), 1);
        let start = Instant::now();
        assert!(limit.pass_at(start));
        assert!(!limit.pass_at(start) && !limit.pass_at(start));
        assert_eq!(limit.unsaid, 2);
        assert!(limit.pass_at(start + Duration::from_secs(1)));
        assert_eq!((limit.unsaid, limit.dropped()), (0, 2));
    }

    #[test]
    fn none_a_second_is_one() {
        assert!(LogLimit::new("test".into(), 0).pass());
    }
}
