//! The gate between the vCPU threads and the guest.
//!
//! Some changes must not be seen half done by a running guest: KVM cannot alter
//! a memory slot's place or mode, only delete it and create another, and an
//! access in between would find nothing. For such a change the gate is closed:
//! every vCPU that is in the guest is kicked out, and none enters until the
//! gate is open again. vCPUs that are serving an exit need not be waited for;
//! they meet the closed gate on their way back. So a vCPU thread can close the
//! gate itself while it serves an exit, and two that try take turns.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use super::kick::Threads;
use super::sync::{lock, wait};

/// Whether a vCPU is in the guest or about to be. On a cache line (and its
/// prefetched neighbour) of its own: it is written twice per exit.
#[derive(Default)]
#[repr(align(128))]
struct Presence(AtomicBool);

/// The gate.
///
/// `closed` and each `Presence` follow Dekker's pattern, hence the sequential
/// consistency: each side stores its own flag before it loads the other's, so
/// at least one of them sees the other.
pub(super) struct Gate {
    closed: AtomicBool,
    present: Box<[Presence]>,
    threads: Arc<Threads>,
    /// Held by whoever has closed the gate.
    turn: Mutex<()>,
    /// With `changed`, for waiting until `closed` or a `Presence` has changed.
    change: Mutex<()>,
    changed: Condvar,
}

impl Gate {
    /// An open gate for `cpus` processors.
    pub(super) fn new(cpus: usize, threads: Arc<Threads>) -> Self {
        Self {
            closed: AtomicBool::new(false),
            present: (0..cpus).map(|_| Presence::default()).collect(),
            threads,
            turn: Mutex::new(()),
            change: Mutex::new(()),
            changed: Condvar::new(),
        }
    }

    /// Passes `cpu` into the guest; waits while the gate is closed.
    pub(super) fn enter(&self, cpu: usize) {
        loop {
            self.present[cpu].0.store(true, Ordering::SeqCst);
            if !self.closed.load(Ordering::SeqCst) {
                return;
            }
            self.leave(cpu);
            let mut change = lock(&self.change);
            while self.closed.load(Ordering::SeqCst) {
                change = wait(&self.changed, change);
            }
        }
    }

    /// Passes `cpu` out of the guest. Never waits for the gate.
    pub(super) fn leave(&self, cpu: usize) {
        self.present[cpu].0.store(false, Ordering::SeqCst);
        if self.closed.load(Ordering::SeqCst) {
            self.notify();
        }
    }

    /// Runs `change` while no vCPU is in the guest. Must not be called by a
    /// thread that is in the guest, nor by `change` itself.
    pub(super) fn with_guest_out<R>(&self, change: impl FnOnce() -> R) -> R {
        let _turn = lock(&self.turn);
        let _closed = Closed::new(self);
        self.threads.kick((0..self.present.len()).filter(|&cpu| self.is_in(cpu)));
        let mut waiting = lock(&self.change);
        while (0..self.present.len()).any(|cpu| self.is_in(cpu)) {
            waiting = wait(&self.changed, waiting);
        }
        drop(waiting);
        change()
    }

    fn is_in(&self, cpu: usize) -> bool {
        self.present[cpu].0.load(Ordering::SeqCst)
    }

    /// Wakes who waits. Passing through the lock first makes sure that who is
    /// about to wait has either seen the change or waits already.
    fn notify(&self) {
        drop(lock(&self.change));
        self.changed.notify_all();
    }
}

/// The gate, closed; dropping it opens the gate, also when a change panics.
struct Closed<'a>(&'a Gate);

impl<'a> Closed<'a> {
    fn new(gate: &'a Gate) -> Self {
        gate.closed.store(true, Ordering::SeqCst);
        Self(gate)
    }
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.0.closed.store(false, Ordering::SeqCst);
        self.0.notify();
    }
}
