//! The devices' timers.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::Machine;
use crate::clock::Clock;
use crate::component::{Effects, SlotId};

/// The deadlines of all timers of a machine, and of what a person types.
///
/// A machine has few timers, so the earliest is found by looking at all: that
/// needs no allocation when a device arms one.
pub(super) struct Timers {
    deadlines: Mutex<Deadlines>,
    changed: Condvar,
}

struct Deadlines {
    /// By slot and timer.
    armed: Vec<Vec<Option<Armed>>>,
    /// How often a timer has been armed.
    count: u64,
    stop: bool,
}

/// When a timer expires. Of several at the same time, the one that was armed first
/// comes first, as in QEMU.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Armed {
    deadline: u64,
    /// Which one it was of all that were armed.
    number: u64,
}

/// A timer that is due.
struct Due {
    slot: SlotId,
    timer: u32,
    deadline: u64,
}

impl Deadlines {
    fn earliest(&self) -> Option<Due> {
        let timers = (0..).zip(&self.armed).flat_map(|(slot, timers)| {
            let slot = SlotId(slot);
            (0..).zip(timers).filter_map(move |(timer, armed)| Some((slot, timer, (*armed)?)))
        });
        let (slot, timer, Armed { deadline, .. }) = timers.min_by_key(|(_, _, armed)| *armed)?;
        Some(Due { slot, timer, deadline })
    }

    /// Disarms the earliest timer if it is due.
    fn take(&mut self, now: u64) -> Option<Due> {
        let due = self.earliest().filter(|due| due.deadline <= now)?;
        self.armed[due.slot.0 as usize][due.timer as usize] = None;
        Some(due)
    }
}

impl Timers {
    /// Disarmed timers; for each slot how many there are.
    pub(super) fn new(counts: impl IntoIterator<Item = usize>) -> Self {
        let armed = counts.into_iter().map(|count| vec![None; count]).collect();
        let deadlines = Mutex::new(Deadlines { armed, count: 0, stop: false });
        Self { deadlines, changed: Condvar::new() }
    }

    /// Arms, moves or disarms a timer.
    pub(super) fn set(&self, slot: SlotId, timer: u32, deadline: Option<u64>) {
        let mut deadlines = self.lock();
        let before = deadlines.earliest().map(|due| due.deadline);
        deadlines.count += 1;
        let number = deadlines.count;
        let timers = deadlines.armed.get_mut(slot.0 as usize);
        if let Some(place) = timers.and_then(|timers| timers.get_mut(timer as usize)) {
            *place = deadline.map(|deadline| Armed { deadline, number });
        }
        let after = deadlines.earliest().map(|due| due.deadline);
        if before != after {
            self.changed.notify_all();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Deadlines> {
        self.deadlines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the timers' thread: the clock has started or stopped.
    pub(super) fn clock_changed(&self) {
        let _held = self.lock();
        self.changed.notify_all();
    }

    /// Ends the timers' thread.
    pub(super) fn stop(&self) {
        self.lock().stop = true;
        self.changed.notify_all();
    }

    /// Waits for the next timer that is due; none when the machine is going.
    fn wait(&self, clock: &Clock) -> Option<Due> {
        let mut deadlines = self.lock();
        while !deadlines.stop {
            let now = clock.now();
            if let Some(due) = deadlines.take(now) {
                return Some(due);
            }
            // A clock that stands still reaches no deadline: whoever starts it
            // says so.
            let next = deadlines.earliest().filter(|_| clock.is_running());
            let wait = next.map_or(LONGEST_WAIT, |due| Duration::from_nanos(due.deadline - now));
            let waited = self.changed.wait_timeout(deadlines, wait.min(LONGEST_WAIT));
            deadlines = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        None
    }
}

/// How long the thread waits at most before it looks at the clock again.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

impl Machine {
    /// Fires the timers of a machine whose clock runs, on a thread that ends
    /// with the machine.
    ///
    /// # Errors
    /// The host refuses another thread.
    pub fn start_timers(self: &Arc<Self>) -> std::io::Result<()> {
        let (machine, timers) = (Arc::downgrade(self), self.timers.clone());
        let clock = self.clock.clone();
        std::thread::Builder::new().name("timers".into()).spawn(move || {
            let mut effects = Effects::new();
            while let Some(due) = timers.wait(&clock) {
                let Some(machine) = machine.upgrade() else { return };
                machine.fire(due, &mut effects);
            }
        })?;
        Ok(())
    }

    /// Starts the clock, and with it the timers.
    pub fn start_clock(&self) {
        self.clock.start();
        self.timers.clock_changed();
    }

    /// Stops the clock, and with it the timers.
    pub fn stop_clock(&self) {
        self.clock.stop();
        self.timers.clock_changed();
    }

    /// Moves a manual clock on by `duration` nanoseconds, firing each timer at
    /// its deadline.
    pub fn advance(&self, duration: u64, effects: &mut Effects) {
        let end = self.clock.now().saturating_add(duration);
        loop {
            // A statement of its own, so that the lock is not held while firing.
            let due = self.timers.lock().take(end);
            let Some(due) = due else { break };
            self.clock.advance_to(due.deadline);
            self.fire(due, effects);
        }
        self.clock.advance_to(end);
    }

    /// The deadline of the timer that expires first.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        self.timers.lock().earliest().map(|due| due.deadline)
    }

    fn fire(&self, due: Due, effects: &mut Effects) {
        let Due { slot, timer, deadline } = due;
        match self.by_id(slot) {
            Some(slot) => {
                slot.timer_expired(timer, deadline, effects);
                self.apply(effects);
            }
            None => self.typing_continues(),
        }
    }
}
