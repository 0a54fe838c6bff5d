//! A migration that goes on while others ask how it stands.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::outgoing::Outgoing;
use super::{
    Arrived, Blocks, Cancel, Channel, Info, ProcessorForm, Progress, RamInfo, RunStateName, Status,
};
use super::{Origin, Target, load};
use crate::machine::Machine;
use crate::vm::VmState;

/// Hears of each change of a migration's status, in order. It must not cancel the
/// migration itself.
pub type Listener = Box<dyn Fn(Status) + Send + Sync>;

/// What a migration to elsewhere does to the machine.
pub struct Leaving {
    /// Stops the machine: from then on nothing changes its memory or its devices. An
    /// error, one line, ends the migration. It is called once the peer is there, and at
    /// most once.
    pub stop: Box<dyn FnOnce() -> Result<Stopped, String> + Send>,
    /// It did not come to an end after the machine was stopped: the machine may go on
    /// here.
    pub go_on: Box<dyn FnOnce() + Send>,
    /// Hears of changes.
    pub changed: Listener,
}

/// A machine that stands still to be saved.
#[derive(Clone, Debug)]
pub struct Stopped {
    /// What it did until then.
    pub run_state: RunStateName,
    /// What its processors hold, if it has some.
    pub processors: Option<VmState>,
}

/// A machine without processors.
impl From<RunStateName> for Stopped {
    fn from(run_state: RunStateName) -> Self {
        Self { run_state, processors: None }
    }
}

/// What comes of a migration to here.
pub struct Arriving {
    /// What the processors must be in the stream; none if there are none here, and those
    /// in the stream are kept.
    pub processors: Option<ProcessorForm>,
    /// Called when it has ended: the machine may start, or it failed. Before the status
    /// says that it is completed, or after it says that it failed.
    pub ended: Box<dyn FnOnce(Result<Arrived, Failure>) + Send>,
    /// Hears of changes.
    pub changed: Listener,
}

/// An incoming migration that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why, in one line.
    pub error: String,
    /// Whether the machine's memory was written to: it must not be started then.
    pub memory_is_spoilt: bool,
}

/// A migration, to elsewhere or to here. Clones are one.
#[derive(Clone)]
pub struct Migration(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    ended: Condvar,
    /// Held while the status changes and its listener hears of it.
    order: Mutex<()>,
    listener: Listener,
    progress: Progress,
    cancel: Cancel,
    start: Instant,
    leaving: bool,
}

struct State {
    status: Status,
    error: Option<String>,
    setup: Option<Duration>,
    stopped: Option<Instant>,
    total: Option<Duration>,
    downtime: Option<Duration>,
    /// Whether the thread has nothing more to do.
    done: bool,
}

impl Migration {
    /// Saves a machine with its memory to `target`, on a thread of its own.
    ///
    /// Once all has been written it is completed, also if it is cancelled at that
    /// moment: the machine may run elsewhere then.
    ///
    /// # Errors
    /// The host refuses a thread.
    pub fn send(
        target: Target,
        machine: Arc<Machine>,
        blocks: Arc<Blocks>,
        leaving: Leaving,
    ) -> io::Result<Self> {
        let Leaving { stop, go_on, changed } = leaving;
        let migration = Self::new(target.cancel().clone(), changed, true);
        let shared = migration.0.clone();
        thread::Builder::new().name("migration".into()).spawn(move || {
            let mut stopped = false;
            let stop = || {
                let state = stop()?;
                stopped = true;
                Ok(state)
            };
            let result = shared.send(target, &machine, &blocks, stop);
            let failed = result.is_err();
            shared.end(result);
            if failed && stopped {
                go_on();
            }
            shared.done();
        })?;
        Ok(migration)
    }

    /// Loads what comes from `origin` into a machine that has not been started, on a
    /// thread of its own.
    ///
    /// # Errors
    /// The host refuses a thread.
    pub fn receive(
        origin: Origin,
        machine: Arc<Machine>,
        blocks: Arc<Blocks>,
        arriving: Arriving,
    ) -> io::Result<Self> {
        let Arriving { processors, ended, changed } = arriving;
        let migration = Self::new(origin.cancel().clone(), changed, false);
        let shared = migration.0.clone();
        thread::Builder::new().name("incoming".into()).spawn(move || {
            match shared.receive(origin, &machine, &blocks, processors) {
                Ok(arrived) => {
                    ended(Ok(arrived));
                    shared.end(Ok(()));
                }
                Err(failure) => {
                    shared.end(Err(failure.error.clone()));
                    ended(Err(failure));
                }
            }
            shared.done();
        })?;
        Ok(migration)
    }

    fn new(cancel: Cancel, listener: Listener, leaving: bool) -> Self {
        let state = State {
            status: Status::Setup,
            error: None,
            setup: None,
            stopped: None,
            total: None,
            downtime: None,
            done: false,
        };
        listener(Status::Setup);
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            ended: Condvar::new(),
            order: Mutex::new(()),
            listener,
            progress: Progress::default(),
            cancel,
            start: Instant::now(),
            leaving,
        }))
    }

    /// Ends it soon, wherever it waits. No effect if it has ended.
    pub fn cancel(&self) {
        if self.0.change(Status::Cancelling) {
            self.0.cancel.cancel();
        }
    }

    /// How far it has come.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.state().status
    }

    /// Waits until it has ended, and nothing is called any more; at most for a time.
    /// Returns how far it has come.
    #[must_use]
    pub fn wait(&self, patience: Duration) -> Status {
        let state = self.0.state();
        let waited = self.0.ended.wait_timeout_while(state, patience, |state| !state.done);
        waited.unwrap_or_else(PoisonError::into_inner).0.status
    }

    /// How it stands, as `query-migrate` says it.
    #[must_use]
    pub fn info(&self) -> Info {
        let shared = &self.0;
        let state = shared.state();
        let status = state.status;
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let total = state.total.unwrap_or_else(|| shared.start.elapsed());
        let counted = shared.leaving
            && matches!(status, Status::Active | Status::Cancelling | Status::Completed);
        let so_far = state.stopped.map(|stopped| stopped.elapsed());
        let moving = total.saturating_sub(state.setup.unwrap_or_default());
        Info {
            status,
            total_time: counted.then(|| milliseconds(total)),
            downtime: state.downtime.filter(|_| counted).map(milliseconds),
            expected_downtime: so_far
                .filter(|_| counted && state.downtime.is_none())
                .map(milliseconds),
            setup_time: state.setup.filter(|_| counted).map(milliseconds),
            error_desc: state.error.clone(),
            ram: counted.then(|| RamInfo::new(&shared.progress.counts(), milliseconds(moving))),
        }
    }
}

impl Shared {
    fn send(
        &self,
        target: Target,
        machine: &Machine,
        blocks: &Blocks,
        stop: impl FnOnce() -> Result<Stopped, String>,
    ) -> Result<(), String> {
        let mut channel = target.connect().map_err(|error| error.to_string())?;
        let stopped = stop()?;
        self.state().stopped = Some(Instant::now());
        // A device without a state is better found before gigabytes of memory are sent.
        let outgoing = Outgoing::new(machine, blocks, &stopped);
        let outgoing = outgoing.map_err(|error| error.to_string())?;
        self.state().setup = Some(self.start.elapsed());
        self.change(Status::Active);
        let written = outgoing
            .write_memory(&mut channel, &self.progress)
            .and_then(|()| outgoing.write_devices(&mut channel, &self.progress));
        written.map_err(|error| why(&error, &mut channel))?;
        channel.close().map_err(|error| format!("cannot write: {error}"))
    }

    fn receive(
        &self,
        origin: Origin,
        machine: &Machine,
        blocks: &Blocks,
        processors: Option<ProcessorForm>,
    ) -> Result<Arrived, Failure> {
        let channel = origin.accept();
        let mut channel = channel
            .map_err(|error| Failure { error: error.to_string(), memory_is_spoilt: false })?;
        self.state().setup = Some(self.start.elapsed());
        self.change(Status::Active);
        let arrived = load(machine, blocks, processors, &mut channel, &self.progress);
        arrived.map_err(|error| {
            let memory_is_spoilt = error.memory_is_spoilt;
            Failure { error: error.to_string(), memory_is_spoilt }
        })
    }

    /// Changes the status, unless it is one that lasts. Says whether it did.
    fn change(&self, status: Status) -> bool {
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.state();
        let lasts =
            state.status.is_final() || state.status == Status::Cancelling && !status.is_final();
        if lasts {
            return false;
        }
        state.status = status;
        drop(state);
        (self.listener)(status);
        true
    }

    fn end(&self, result: Result<(), String>) {
        let mut state = self.state();
        let was_cancelled = self.cancel.is_cancelled() || state.status == Status::Cancelling;
        state.total = Some(self.start.elapsed());
        state.downtime = state.stopped.map(|stopped| stopped.elapsed());
        let status = match result {
            Ok(()) => Status::Completed,
            Err(_) if was_cancelled => Status::Cancelled,
            Err(error) => {
                state.error = Some(error);
                Status::Failed
            }
        };
        drop(state);
        self.change(status);
    }

    fn done(&self) {
        self.state().done = true;
        self.ended.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a stream cannot be written: a command that has ended says more than the pipe
/// to it.
fn why(error: &io::Error, channel: &mut Channel) -> String {
    let ended = (error.kind() == io::ErrorKind::BrokenPipe).then(|| channel.close().err());
    match ended.flatten() {
        Some(ended) => format!("cannot write: {ended}"),
        None => format!("cannot write: {error}"),
    }
}
