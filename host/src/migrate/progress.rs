//! How far a migration has come.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts that one thread changes and others may read.
#[derive(Debug, Default)]
pub struct Progress {
    total: AtomicU64,
    remaining: AtomicU64,
    transferred: AtomicU64,
    normal: AtomicU64,
    duplicate: AtomicU64,
}

/// The counts at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes of memory there are; 0 as long as that is not known.
    pub total: u64,
    /// Bytes of memory that have not been looked at yet.
    pub remaining: u64,
    /// Bytes of the stream so far.
    pub transferred: u64,
    /// Pages that went with their contents.
    pub normal: u64,
    /// Pages that went as one byte: zero.
    pub duplicate: u64,
}

impl Progress {
    /// The counts now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts {
            total: get(&self.total),
            remaining: get(&self.remaining),
            transferred: get(&self.transferred),
            normal: get(&self.normal),
            duplicate: get(&self.duplicate),
        }
    }

    pub(super) fn begin(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
        self.remaining.store(total, Ordering::Relaxed);
    }

    pub(super) fn transfer(&self, bytes: usize) {
        self.transferred.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// What has arrived: pages may come again, so what remains is a guess.
    pub(super) fn receive(&self, total: u64, normal: u64, duplicate: u64, seen: u64) {
        self.total.store(total, Ordering::Relaxed);
        self.set_pages(normal, duplicate, total.saturating_sub(seen));
    }

    pub(super) fn set_pages(&self, normal: u64, duplicate: u64, remaining: u64) {
        self.normal.store(normal, Ordering::Relaxed);
        self.duplicate.store(duplicate, Ordering::Relaxed);
        self.remaining.store(remaining, Ordering::Relaxed);
    }
}
