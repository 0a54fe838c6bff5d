//! How often a device may do something.

const SECOND: u64 = 1_000_000_000;

/// Counts in each second of the guest's time: on the host's, a replay would end
/// elsewhere than what it repeats.
pub(in crate::component) struct Rate {
    most: u32,
    since: u64,
    count: u32,
}

impl Rate {
    pub(super) const fn new(most: u32) -> Self {
        Self { most, since: 0, count: 0 }
    }

    /// The limit.
    pub(in crate::component) const fn most(&self) -> u32 {
        self.most
    }

    /// Whether one more at that time, in nanoseconds, is within the limit.
    pub(in crate::component) fn allow(&mut self, now: u64) -> bool {
        // Going back is what loading a state does to the clock.
        if now < self.since || now - self.since >= SECOND {
            (self.since, self.count) = (now, 0);
        }
        self.count = self.count.saturating_add(1);
        self.count <= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_has_its_own() {
        let mut rate = Rate::new(2);
        let mut allowed = |now| rate.allow(now);
        assert!(allowed(0) && allowed(5) && !allowed(SECOND - 1));
        assert!(allowed(SECOND) && allowed(SECOND + 5) && !allowed(2 * SECOND - 1));
        assert!(allowed(0), "the clock was set back");
    }
}
