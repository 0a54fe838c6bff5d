//! The virtual clock: guest time in nanoseconds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Set in `Clock::state` while the clock runs. The low bits are then what to
/// subtract from the host's time, and the time itself while it stands still:
/// one word, so that no reader sees half of a change.
const RUNNING: u64 = 1 << 63;

/// Set in `Clock::state` while a change is under way.
const CHANGING: u64 = 1 << 62;

/// The low bits of `Clock::state`. Arithmetic on them wraps: a clock that was
/// advanced can be ahead of the host's time.
const TIME: u64 = CHANGING - 1;

/// A clock that starts at 0, stands still while the machine is paused and never
/// goes back unless it is set to the time of a saved state, whichever threads
/// read it.
///
/// Reading takes no lock.
#[derive(Debug)]
pub struct Clock {
    state: AtomicU64,
    /// Host time 0 of this clock; none if it only moves when told.
    origin: Option<Instant>,
    /// Held by whoever changes `state`.
    change: Mutex<()>,
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock {
    /// A clock at 0 that stands still until [`start`](Self::start) and then
    /// follows the host's monotonic clock.
    pub fn new() -> Self {
        Self::with_origin(Some(Instant::now()))
    }

    /// A clock at 0 that only [`advance_to`](Self::advance_to) moves, for tests
    /// and replays. Starting it has no effect.
    pub fn manual() -> Self {
        Self::with_origin(None)
    }

    fn with_origin(origin: Option<Instant>) -> Self {
        Self { state: AtomicU64::new(0), origin, change: Mutex::new(()) }
    }

    /// The time, in nanoseconds.
    pub fn now(&self) -> u64 {
        loop {
            let state = self.state.load(Ordering::Acquire);
            if state & CHANGING != 0 {
                std::hint::spin_loop();
            } else if state & RUNNING == 0 {
                return state;
            } else {
                let host = self.host_time();
                // Only if the clock still runs the same way was the host's time
                // read before any later stop; else a reader that was preempted
                // here could return a time after the one the clock stopped at.
                if self.state.load(Ordering::SeqCst) == state {
                    return host.wrapping_sub(state) & TIME;
                }
            }
        }
    }

    /// Lets the clock run. No effect if it runs or is manual.
    pub fn start(&self) {
        if self.origin.is_some() {
            self.change(|time| RUNNING | (self.host_time().wrapping_sub(time) & TIME));
        }
    }

    /// Stops the clock where it is. No effect if it stands still.
    pub fn stop(&self) {
        self.change(|time| time);
    }

    /// Whether the clock runs.
    pub fn is_running(&self) -> bool {
        self.state.load(Ordering::Acquire) & (RUNNING | CHANGING) != 0
    }

    /// Moves a clock that stands still forward to `nanoseconds`. No effect if
    /// it runs, or is there or later already. Times from 2^62 ns (146 years)
    /// on become the last one before.
    pub fn advance_to(&self, nanoseconds: u64) {
        let _changing = self.lock();
        let state = self.state.load(Ordering::Acquire);
        if state & RUNNING == 0 && state < nanoseconds {
            self.state.store(nanoseconds.min(TIME), Ordering::Release);
        }
    }

    /// Sets a clock that stands still, also back: to the time of a saved state.
    /// No effect if it runs. Times from 2^62 ns on become the last one before.
    pub fn set(&self, nanoseconds: u64) {
        let _changing = self.lock();
        if self.state.load(Ordering::Acquire) & RUNNING == 0 {
            self.state.store(nanoseconds.min(TIME), Ordering::Release);
        }
    }

    /// Replaces the state by what `next` makes of the time now. A clock that
    /// runs is first marked as changing, so that the time taken afterwards is
    /// not before any that a reader has returned.
    fn change(&self, next: impl FnOnce(u64) -> u64) {
        let _changing = self.lock();
        let state = self.state.swap(CHANGING, Ordering::SeqCst);
        let time = match state & RUNNING {
            0 => state,
            _ => self.host_time().wrapping_sub(state) & TIME,
        };
        self.state.store(next(time), Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.change.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nanoseconds since the clock was made; 0 for a manual one, which never
    /// runs.
    fn host_time(&self) -> u64 {
        self.origin
            .map_or(0, |origin| u64::try_from(origin.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests;
