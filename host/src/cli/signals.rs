//! Signals that end a guest, and what must be put back in order then.

use std::any::Any;
use std::io;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use super::terminal::Terminal;
use crate::guest::{Cause, Guest};

/// What the process holds that outlives it: given back when this is dropped, or
/// by a second signal.
#[derive(Clone, Default)]
pub(super) struct Held(Arc<Mutex<Things>>);

#[derive(Default)]
struct Things {
    terminal: Option<Terminal>,
    others: Vec<Box<dyn Any + Send>>,
}

impl Held {
    /// Holds the terminal, which is entered unless it is held already: another one would
    /// take the first one's settings for those that were there before.
    pub(super) fn hold_terminal(&self, enter: impl FnOnce() -> Option<Terminal>) {
        self.with(|things| {
            if things.terminal.is_none() {
                things.terminal = enter();
            }
        });
    }

    /// Holds what gives something back when it is dropped.
    pub(super) fn hold(&self, thing: impl Any + Send) {
        self.with(|things| things.others.push(Box::new(thing)));
    }

    /// Gives all back.
    pub(super) fn release(&self) {
        let things = self.with(std::mem::take);
        drop(things);
    }

    fn with<R>(&self, change: impl FnOnce(&mut Things) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Gives back what is held at the end of a scope, also when that is an error or
/// a panic.
pub(super) struct Release(pub(super) Held);

impl Drop for Release {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// The signal that ended the guest, once there was one.
#[derive(Clone, Default)]
pub(super) struct Received(Arc<AtomicI32>);

impl Received {
    /// The exit status a shell gives to a process that ended by the signal; 0 if none
    /// did.
    pub(super) fn status(&self) -> u8 {
        match self.0.load(Ordering::Relaxed) {
            0 => 0,
            signal => status(signal),
        }
    }

    /// Whether it is the first.
    fn note(&self, signal: i32) -> bool {
        self.0.compare_exchange(0, signal, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// What SIGHUP does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hangup {
    /// It ends the guest, unless whoever started the process had it ignored.
    Heeds,
    /// It ends the guest in any case, as in QEMU: libxl ends guests by it.
    Ends,
}

/// From now on a signal that asks the process to end ends the guest, after `told`
/// was called, and a second one the process.
pub(super) fn watch(
    guest: Arc<Guest>,
    held: Held,
    hangup: Hangup,
    told: impl Fn(i32) + Send + 'static,
) -> io::Result<Received> {
    let mut wanted = vec![SIGINT, SIGTERM, SIGQUIT, SIGCONT];
    if hangup == Hangup::Ends || !is_ignored(SIGHUP) {
        wanted.push(SIGHUP);
    }
    let mut signals = Signals::new(wanted)?;
    let received = Received::default();
    let noted = received.clone();
    thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            if signal == SIGCONT {
                held.with(|things| things.terminal.iter().for_each(Terminal::reenter));
            } else if noted.note(signal) {
                told(signal);
                guest.quit(Cause::Signal);
            } else {
                held.release();
                std::process::exit(status(signal).into());
            }
        }
    })?;
    Ok(received)
}

/// The exit status a shell gives to a process that ended by a signal.
pub(super) fn status(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(u8::MAX)
}

/// Whether whoever started the process had the signal ignored, as nohup does: it
/// stays so (proc_pid_status(5), `SigIgn`).
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 != 0)
}
