//! A drive: a queue of requests, a thread that carries them out, and a medium.

use std::io;
use std::sync::{Arc, PoisonError};

use crate::backend::Backend;
use crate::cache::Cache;
use crate::memory::GuestMemory;
use crate::policy::{Action, Policy};
use crate::request::{Failure, Operation, Request};
use crate::statistics::Statistics;

mod carry;
mod change;
mod state;
mod worker;

pub use change::ChangeError;
use state::{Entry, Shared};

/// The most requests that wait in a drive. No device's hardware has slots for so
/// many.
pub const LIMIT_REQUESTS: usize = 4096;

/// The most memory that waiting requests take, in bytes.
pub const LIMIT_BYTES: usize = 64 << 20;

/// What can be put into a drive.
pub struct Medium {
    /// Where the bytes are.
    pub backend: Box<dyn Backend>,
    /// Whether writing fails.
    pub read_only: bool,
    /// When what was written reaches the medium.
    pub cache: Cache,
}

/// What a device learns of a medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediumInfo {
    /// Length in bytes, a multiple of 512.
    pub size: u64,
    /// Whether it cannot be written to.
    pub read_only: bool,
}

impl Medium {
    /// What a device learns of it.
    #[must_use]
    pub fn info(&self) -> MediumInfo {
        MediumInfo { size: self.backend.size(), read_only: self.read_only }
    }

    /// Makes what was written last, unless the cache mode says not to.
    fn flush(&mut self) -> io::Result<()> {
        if self.read_only || self.cache.ignores_flushes() {
            return Ok(());
        }
        self.backend.flush()
    }
}

impl std::fmt::Debug for Medium {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut it = f.debug_struct("Medium");
        it.field("info", &self.info()).field("cache", &self.cache).finish_non_exhaustive()
    }
}

/// What the operator is told when a medium fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorReport {
    /// The drive's name.
    pub drive: String,
    /// What failed.
    pub operation: Operation,
    /// What was done about it. If it is [`Action::Stop`] the machine is to stop,
    /// and [`Drive::resume`] to be called when it continues.
    pub action: Action,
    /// Whether there was no room.
    pub no_space: bool,
    /// Whether the drive's policy lets some errors stop the machine.
    pub can_stop: bool,
    /// What the system says.
    pub reason: String,
}

/// Takes the end of a request: its tag and its outcome.
pub type Completed = Box<dyn Fn(u32, Result<Vec<u8>, Failure>) + Send + Sync>;

/// What a drive calls, always on its own thread and with no lock held. Calls
/// must not wait for the drive itself.
pub struct Callbacks {
    /// A request has ended, with what was read if it was a [`Request::Read`].
    /// Only then does the next one start.
    pub completed: Completed,
    /// The medium has failed. Called before `completed`, if the request ends.
    pub failed: Box<dyn Fn(&ErrorReport) + Send + Sync>,
}

/// What a drive is made of.
pub struct Setup {
    /// What reports call it.
    pub name: String,
    /// What happens on errors.
    pub policy: Policy,
    /// What is in it at first.
    pub medium: Option<Medium>,
    /// The guest's memory.
    pub memory: Arc<dyn GuestMemory>,
    /// Who is told.
    pub callbacks: Callbacks,
}

/// Requests that are held, as the medium has failed and the policy says to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// How many requests wait: the one that failed, and those behind it.
    pub waiting: usize,
}

/// Why a request was not taken. It does not end, then.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The device has made too many.
    #[error("more than {LIMIT_REQUESTS} requests or {LIMIT_BYTES} bytes wait for the drive")]
    Full,
    /// The drive cannot work.
    #[error("the drive's thread could not be started: {0}")]
    Thread(#[from] io::Error),
    /// The drive works no longer: a callback or a backend has panicked.
    #[error("the drive's thread has failed")]
    Dead,
}

/// A drive. Its thread starts with the first request.
///
/// Dropping it waits for the request that is being carried out and flushes the
/// medium. Requests that wait do not end then.
pub struct Drive {
    shared: Arc<Shared>,
}

impl Drive {
    /// Makes a drive whose tray is closed and not locked.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        Self { shared: Arc::new(Shared::new(setup)) }
    }

    /// Adds a request. It ends through [`Callbacks::completed`], never within this
    /// call.
    ///
    /// A request that the medium's size, its absence or its being read-only
    /// forbids ends with [`Failure::Io`], whatever the policy.
    ///
    /// # Errors
    ///
    /// The request was not taken.
    pub fn submit(&self, tag: u32, request: Request) -> Result<(), SubmitError> {
        let mut state = self.shared.lock();
        let weight = request.weight();
        let bytes = state.bytes.saturating_add(weight);
        if state.dead {
            return Err(SubmitError::Dead);
        }
        if state.queue.len() >= LIMIT_REQUESTS || bytes > LIMIT_BYTES {
            return Err(SubmitError::Full);
        }
        if state.worker.is_none() {
            state.worker = Some(worker::start(Arc::clone(&self.shared))?);
        }
        let entry = Entry { number: state.next, tag, request, no_medium: state.tray_open };
        state.next += 1;
        state.bytes = bytes;
        state.queue.push_back(entry);
        drop(state);
        self.shared.changed.notify_all();
        Ok(())
    }

    /// Waits until all requests have ended, and their callbacks returned, but for
    /// those that are held: these are told.
    ///
    /// In a callback of the drive this does not wait.
    pub fn drain(&self) -> Option<Held> {
        let mut state = self.shared.lock();
        if !state.is_worker() {
            state = self.shared.wait_while(state, |state| state.is_moving());
        }
        state.held()
    }

    /// Whether requests are held.
    #[must_use]
    pub fn held(&self) -> Option<Held> {
        self.shared.lock().held()
    }

    /// Tries again what is held. To be called when the machine continues.
    pub fn resume(&self) {
        self.shared.lock().held = false;
        self.shared.changed.notify_all();
    }

    /// Waits as [`drain`](Self::drain) does, and takes away what is held, in order:
    /// to forget it at a reset, or to [`submit`](Self::submit) it elsewhere.
    pub fn take_held(&self) -> Vec<(u32, Request)> {
        let mut state = self.shared.lock();
        if !state.is_worker() {
            state = self.shared.wait_while(state, |state| state.is_moving());
        }
        if !std::mem::take(&mut state.held) {
            return Vec::new();
        }
        let taken = state.clear();
        drop(state);
        self.shared.changed.notify_all();
        taken.into_iter().map(|entry| (entry.tag, entry.request)).collect()
    }

    /// Ends what is held, and what waits behind it, with [`Failure::Io`].
    pub fn fail_held(&self) {
        let mut state = self.shared.lock();
        let end = state.next;
        state.doom(end);
        drop(state);
        self.shared.changed.notify_all();
    }

    /// What is in the drive.
    #[must_use]
    pub fn medium(&self) -> Option<MediumInfo> {
        self.shared.lock().info
    }

    /// The guest has opened or closed the tray. Requests made while it is open
    /// fail. Says whether that is news, of which the operator is to be told.
    pub fn tray(&self, open: bool) -> bool {
        std::mem::replace(&mut self.shared.lock().tray_open, open) != open
    }

    /// Whether the tray is open.
    #[must_use]
    pub fn is_tray_open(&self) -> bool {
        self.shared.lock().tray_open
    }

    /// The guest keeps the operator from taking the medium out, or lets him.
    pub fn set_locked(&self, locked: bool) {
        self.shared.lock().locked = locked;
    }

    /// Whether the guest keeps the operator from taking the medium out.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.shared.lock().locked
    }

    /// What happens on errors from now on.
    pub fn set_policy(&self, policy: Policy) {
        self.shared.lock().policy = policy;
    }

    /// What the drive has done.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.shared.lock().statistics
    }

    /// Exchanges the medium: puts one in, takes one out, or both. The old one,
    /// flushed, is the result; dropping it closes it.
    ///
    /// Requests made before get the old medium and end first; those made meanwhile
    /// get the new one. With `force` neither a lock, nor a failing flush, nor held
    /// requests are in the way; the latter end with [`Failure::Io`].
    ///
    /// Must not be called in a callback of the drive.
    ///
    /// # Errors
    ///
    /// The old medium stays. The new one is closed.
    pub fn change(
        &self,
        medium: Option<Medium>,
        force: bool,
    ) -> Result<Option<Medium>, ChangeError> {
        change::change(&self.shared, medium, force)
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closing = true;
        let own = state.is_worker();
        let worker = state.worker.take();
        drop(state);
        self.shared.changed.notify_all();
        if let Some(worker) = worker
            && !own
        {
            // It has said why if it has panicked.
            let _ = worker.join();
        }
    }
}

impl std::fmt::Debug for Drive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Drive").field("name", &self.shared.name).finish_non_exhaustive()
    }
}

/// What a mutex guards is consistent whenever it is unlocked here, also by a
/// panic.
fn unpoisoned<T>(result: Result<T, PoisonError<T>>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
