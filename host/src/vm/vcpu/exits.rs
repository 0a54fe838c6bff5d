//! Counting a vCPU's exits.

use std::sync::atomic::{AtomicU64, Ordering};

/// How often a vCPU has left the guest, by reason, since it was created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExitCounts {
    /// Port instructions; one for a string of accesses.
    pub port: u64,
    /// Accesses to memory that neither RAM nor KVM answers.
    pub memory: u64,
    /// `HLT`, on machines without the kernel's interrupt controllers.
    pub halt: u64,
    /// Kicks, and other signals.
    pub interrupted: u64,
    /// All else.
    pub other: u64,
}

impl ExitCounts {
    /// The sum.
    pub fn total(&self) -> u64 {
        self.port + self.memory + self.halt + self.interrupted + self.other
    }
}

/// A count only one thread increments, so that it needs no locked instruction.
#[derive(Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn increment(&self) {
        let count = self.0.load(Ordering::Relaxed);
        self.0.store(count.wrapping_add(1), Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of one vCPU, on cache lines of their own.
#[derive(Default)]
#[repr(align(128))]
pub(in crate::vm) struct Exits {
    pub(super) port: Count,
    pub(super) memory: Count,
    pub(super) halt: Count,
    pub(super) interrupted: Count,
    pub(super) other: Count,
}

impl Exits {
    /// The counts now.
    pub(in crate::vm) fn counts(&self) -> ExitCounts {
        ExitCounts {
            port: self.port.get(),
            memory: self.memory.get(),
            halt: self.halt.get(),
            interrupted: self.interrupted.get(),
            other: self.other.get(),
        }
    }
}
