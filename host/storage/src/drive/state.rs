//! What a drive's users and its thread share.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;

use super::{Callbacks, Held, Medium, MediumInfo, Setup, unpoisoned};
use crate::memory::GuestMemory;
use crate::policy::Policy;
use crate::request::Request;
use crate::statistics::Statistics;

/// A request that waits.
pub(super) struct Entry {
    /// Counts the requests of the drive.
    pub(super) number: u64,
    pub(super) tag: u32,
    pub(super) request: Request,
    /// Whether the tray was open when it was made.
    pub(super) no_medium: bool,
}

pub(super) struct State {
    pub(super) queue: VecDeque<Entry>,
    /// How much memory the requests in the queue take.
    pub(super) bytes: usize,
    /// The number of the next request.
    pub(super) next: u64,
    /// Whether somebody works with the medium, who has taken it out of here.
    pub(super) busy: bool,
    /// Set while the first request in the queue waits for the machine to continue.
    pub(super) held: bool,
    /// Requests from this number on wait for a change of the medium.
    pub(super) barrier: Option<u64>,
    /// Requests below this number fail without being carried out.
    pub(super) doomed: u64,
    pub(super) medium: Option<Medium>,
    /// What the medium is, also while somebody works with it.
    pub(super) info: Option<MediumInfo>,
    pub(super) tray_open: bool,
    pub(super) locked: bool,
    pub(super) policy: Policy,
    pub(super) statistics: Statistics,
    pub(super) worker: Option<JoinHandle<()>>,
    pub(super) closing: bool,
    pub(super) dead: bool,
}

impl State {
    /// Whether there is something to wait for.
    pub(super) fn is_moving(&self) -> bool {
        self.busy || (!self.held && !self.queue.is_empty())
    }

    pub(super) fn held(&self) -> Option<Held> {
        self.held.then_some(Held { waiting: self.queue.len() })
    }

    /// Whether this is the drive's own thread.
    pub(super) fn is_worker(&self) -> bool {
        let worker = self.worker.as_ref().map(|worker| worker.thread().id());
        worker == Some(std::thread::current().id())
    }

    /// Takes what is to be done next, if it may be done now.
    pub(super) fn pop(&mut self) -> Option<Entry> {
        let first = self.queue.front()?;
        let waits = self.barrier.is_some_and(|barrier| first.number >= barrier);
        if self.busy || self.held || waits {
            return None;
        }
        let entry = self.queue.pop_front()?;
        self.bytes = self.bytes.saturating_sub(entry.request.weight());
        Some(entry)
    }

    /// Puts back what could not be done.
    pub(super) fn hold(&mut self, entry: Entry) {
        self.bytes += entry.request.weight();
        self.queue.push_front(entry);
        self.held = true;
    }

    /// Lets what is held fail, with all that waits behind it below number `end`.
    pub(super) fn doom(&mut self, end: u64) {
        if std::mem::take(&mut self.held) {
            self.doomed = end;
        }
    }

    pub(super) fn clear(&mut self) -> VecDeque<Entry> {
        self.bytes = 0;
        std::mem::take(&mut self.queue)
    }
}

pub(super) struct Shared {
    pub(super) name: String,
    pub(super) memory: Arc<dyn GuestMemory>,
    pub(super) callbacks: Callbacks,
    state: Mutex<State>,
    /// Something in the state has changed.
    pub(super) changed: Condvar,
    /// Held by whoever changes the medium.
    pub(super) changing: Mutex<()>,
}

impl Shared {
    pub(super) fn new(setup: Setup) -> Self {
        let state = State {
            queue: VecDeque::new(),
            bytes: 0,
            next: 0,
            busy: false,
            held: false,
            barrier: None,
            doomed: 0,
            info: setup.medium.as_ref().map(Medium::info),
            medium: setup.medium,
            tray_open: false,
            locked: false,
            policy: setup.policy,
            statistics: Statistics::default(),
            worker: None,
            closing: false,
            dead: false,
        };
        Self {
            name: setup.name,
            memory: setup.memory,
            callbacks: setup.callbacks,
            state: Mutex::new(state),
            changed: Condvar::new(),
            changing: Mutex::new(()),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        unpoisoned(self.state.lock())
    }

    pub(super) fn wait_while<'a>(
        &self,
        state: MutexGuard<'a, State>,
        mut condition: impl FnMut(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        unpoisoned(self.changed.wait_while(state, |state| condition(state)))
    }
}
