//! A medium that fails, for tests.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::io::Errno;

use crate::backend::{Backend, Buffer};
use crate::request::Operation;

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `EIO`.
    Io,
    /// `ENOSPC`.
    NoSpace,
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Io => Errno::IO.into(),
            Fault::NoSpace => Errno::NOSPC.into(),
        }
    }
}

/// Another backend that fails as it is told to.
#[derive(Debug)]
pub struct Faulty<B> {
    inner: B,
    faults: Faults,
}

/// What a [`Faulty`] does, also while a drive has it.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    plan: Arc<Mutex<Plan>>,
}

#[derive(Debug, Default)]
struct Plan {
    rules: Vec<Rule>,
    /// The most bytes one call moves.
    short: Option<u64>,
    /// How many bytes can still be written.
    room: Option<u64>,
    delay: Duration,
    gone: bool,
    calls: u64,
}

#[derive(Debug)]
struct Rule {
    operation: Operation,
    /// How many calls go well before.
    skip: u64,
    /// How many calls fail then.
    times: u64,
    fault: Fault,
}

impl<B: Backend> Faulty<B> {
    /// Does what `inner` does until it is told otherwise.
    pub fn new(inner: B) -> Self {
        Self { inner, faults: Faults::default() }
    }

    /// Says what fails from now on.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }
}

impl Faults {
    /// Lets the n-th of the following calls fail, counted from 0, and `times - 1`
    /// more. A call is one of the backend's: one request can take several.
    pub fn fail(&self, operation: Operation, n: u64, times: u64, fault: Fault) {
        self.lock().rules.push(Rule { operation, skip: n, times, fault });
    }

    /// Moves at most so many bytes in a call.
    pub fn shorten(&self, most: Option<u64>) {
        self.lock().short = most;
    }

    /// Has room for so many more bytes; then writes fail with `ENOSPC`, after what
    /// still fits has been written.
    pub fn room(&self, bytes: Option<u64>) {
        self.lock().room = bytes;
    }

    /// Makes each call take at least so long.
    pub fn delay(&self, delay: Duration) {
        self.lock().delay = delay;
    }

    /// The medium is gone, or there again.
    pub fn vanish(&self, gone: bool) {
        self.lock().gone = gone;
    }

    /// All goes well again.
    pub fn mend(&self) {
        let calls = self.calls();
        *self.lock() = Plan { calls, ..Plan::default() };
    }

    /// How many calls there were.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    fn lock(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call and says whether it fails.
    fn call(&self, operation: Operation) -> io::Result<()> {
        let mut plan = self.lock();
        plan.calls += 1;
        let delay = plan.delay;
        let mut outcome = if plan.gone { Err(Errno::NXIO.into()) } else { Ok(()) };
        for rule in plan.rules.iter_mut().filter(|rule| rule.operation == operation) {
            if rule.skip > 0 {
                rule.skip -= 1;
            } else if rule.times > 0 {
                rule.times -= 1;
                outcome = Err(rule.fault.into());
            }
        }
        drop(plan);
        std::thread::sleep(delay);
        outcome
    }
}

/// The first `most` bytes of buffers.
fn cut<'a>(buffers: &[Buffer<'a>], mut most: u64) -> Vec<Buffer<'a>> {
    let mut kept = Vec::new();
    for buffer in buffers {
        let take = most.min(buffer.len() as u64);
        kept.extend(buffer.subslice(0, take as usize));
        most -= take;
    }
    kept
}

impl<B: Backend> Backend for Faulty<B> {
    fn size(&self) -> u64 {
        self.inner.size()
    }

    fn read_at(&mut self, offset: u64, into: &[Buffer<'_>]) -> io::Result<u64> {
        self.faults.call(Operation::Read)?;
        let most = self.faults.lock().short.unwrap_or(u64::MAX);
        self.inner.read_at(offset, &cut(into, most))
    }

    fn write_at(&mut self, offset: u64, from: &[Buffer<'_>]) -> io::Result<u64> {
        self.faults.call(Operation::Write)?;
        let (short, room) = {
            let plan = self.faults.lock();
            (plan.short.unwrap_or(u64::MAX), plan.room)
        };
        if room == Some(0) {
            return Err(Fault::NoSpace.into());
        }
        let done = self.inner.write_at(offset, &cut(from, short.min(room.unwrap_or(u64::MAX))))?;
        if let Some(room) = &mut self.faults.lock().room {
            *room = room.saturating_sub(done);
        }
        Ok(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.faults.call(Operation::Flush)?;
        self.inner.flush()
    }
}
