//! A drive's thread.

use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

use super::ErrorReport;
use super::carry::{Outside, carry_out, is_possible};
use super::state::{Entry, Shared};
use crate::policy::{Action, is_no_space};
use crate::request::{Failure, Operation, Request};

/// Starts the thread. It ends when the drive is closed.
pub(super) fn start(shared: Arc<Shared>) -> io::Result<JoinHandle<()>> {
    Builder::new().name("storage".to_owned()).spawn(move || {
        let _watch = Watch(&shared);
        let mut outside = Outside::default();
        while let Some(entry) = next(&shared) {
            serve(&shared, entry, &mut outside);
        }
        close(&shared);
    })
}

/// Lets nobody wait for a thread that has panicked.
struct Watch<'a>(&'a Shared);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if std::thread::panicking() {
            state.dead = true;
            state.held = false;
        }
        state.busy = false;
        state.clear();
        drop(state);
        self.0.changed.notify_all();
    }
}

/// Waits for a request; none comes if the drive is closed. From then on the drive
/// is busy.
fn next(shared: &Shared) -> Option<Entry> {
    let mut entry = None;
    let mut state = shared.lock();
    loop {
        if state.closing {
            return None;
        }
        if entry.is_none() {
            entry = state.pop();
        }
        if entry.is_some() {
            state.busy = true;
            return entry;
        }
        state = super::unpoisoned(shared.changed.wait(state));
    }
}

/// Carries out a request and tells everybody about it. At the end the drive is
/// not busy.
fn serve(shared: &Shared, mut entry: Entry, outside: &mut Outside) {
    let operation = entry.request.operation();
    let (possible, mut medium, policy) = {
        let mut state = shared.lock();
        let doomed = entry.number < state.doomed;
        let possible = is_possible(state.info, &entry.request) && !entry.no_medium;
        if !possible {
            state.statistics.of(operation).invalid += 1;
        }
        let medium = if possible && !doomed { state.medium.take() } else { None };
        (possible && !doomed, medium, state.policy)
    };
    let Some(medium_in_use) = medium.as_mut().filter(|_| possible) else {
        (shared.callbacks.completed)(entry.tag, Err(Failure::Io));
        return rest(shared);
    };
    let start = Instant::now();
    let outcome = carry_out(medium_in_use, &mut entry.request, &*shared.memory, outside);
    let time = start.elapsed();
    let mut state = shared.lock();
    state.medium = medium;
    let counts = state.statistics.of(operation);
    let error = match outcome {
        Ok(data) => {
            let (offset, length) = entry.request.extent();
            counts.operations += 1;
            counts.bytes += length;
            counts.time += time;
            if operation == Operation::Write {
                let highest = &mut state.statistics.highest_write;
                *highest = (*highest).max(offset + length);
            }
            drop(state);
            (shared.callbacks.completed)(entry.tag, Ok(data));
            return rest(shared);
        }
        Err(error) => error,
    };
    counts.failed += 1;
    let no_space = is_no_space(&error);
    let action = policy.action(operation, no_space);
    let tag = entry.tag;
    let ignored = match (action, &entry.request) {
        (Action::Ignore, Request::Read { length, .. }) => vec![0; *length as usize],
        _ => Vec::new(),
    };
    if action == Action::Stop {
        state.hold(entry);
    }
    drop(state);
    let reason = reason(&error);
    let drive = shared.name.clone();
    let can_stop = policy.can_stop();
    let report = ErrorReport { drive, operation, action, no_space, can_stop, reason };
    (shared.callbacks.failed)(&report);
    match action {
        Action::Stop => {}
        Action::Ignore => (shared.callbacks.completed)(tag, Ok(ignored)),
        Action::Report => {
            let failure = if no_space { Failure::NoSpace } else { Failure::Io };
            (shared.callbacks.completed)(tag, Err(failure));
        }
    }
    rest(shared);
}

fn rest(shared: &Shared) {
    shared.lock().busy = false;
    shared.changed.notify_all();
}

/// Makes last what the guest has written, though it did not ask for it.
fn close(shared: &Shared) {
    let (medium, policy) = {
        let mut state = shared.lock();
        (state.medium.take(), state.policy)
    };
    let Some(mut medium) = medium else { return };
    if let Err(error) = medium.flush() {
        (shared.callbacks.failed)(&ErrorReport {
            drive: shared.name.clone(),
            operation: Operation::Flush,
            action: Action::Report,
            no_space: is_no_space(&error),
            can_stop: policy.can_stop(),
            reason: reason(&error),
        });
    }
}

/// What the system says about an error, without its number.
fn reason(error: &io::Error) -> String {
    let mut text = error.to_string();
    if error.raw_os_error().is_some()
        && let Some(end) = text.rfind(" (os error ")
    {
        text.truncate(end);
    }
    text
}
