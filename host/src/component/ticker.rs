//! The clock by which deadlines are measured.
//!
//! A thread moves the engine's epoch on as long as devices are called. When nobody has
//! called one for longer than any call may take, it sleeps until somebody does: a guest
//! that does nothing costs nothing.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rustix::process::setpriority_process;

/// How often the epoch moves on.
pub(super) const TICK: Duration = Duration::from_micros(500);

/// What is late by more than this is so because the host has stood still.
const STILL: Duration = Duration::from_millis(10);

/// The thread, and what callers tell it.
pub(super) struct Ticker {
    /// A call has begun since the last tick.
    called: AtomicBool,
    /// The thread sleeps, or is about to.
    asleep: AtomicBool,
    /// How many ticks a call may take at most.
    longest: AtomicU64,
    thread: OnceLock<Thread>,
}

impl Ticker {
    /// Starts the thread. It ends with the ticker.
    pub(super) fn start(engine: wasmtime::Engine) -> std::io::Result<Arc<Self>> {
        let ticker = Arc::new(Self {
            called: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
            longest: AtomicU64::new(0),
            thread: OnceLock::new(),
        });
        let own = Arc::downgrade(&ticker);
        let thread =
            thread::Builder::new().name("epoch".into()).spawn(move || tick(&own, &engine))?;
        ticker.thread.get_or_init(|| thread.thread().clone());
        Ok(ticker)
    }

    /// From now on, calls may take so many ticks.
    pub(super) fn allow(&self, ticks: u64) {
        self.longest.fetch_max(ticks, Ordering::Relaxed);
    }

    /// A call begins.
    pub(super) fn call_begins(&self) {
        // Processors share this word: it is written once for each tick.
        if !self.called.load(Ordering::Relaxed) {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        self.called.store(true, Ordering::SeqCst);
        if self.asleep.swap(false, Ordering::SeqCst)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }

    /// Whether the thread may sleep, which `wake` will find or has found.
    fn falls_asleep(&self) -> bool {
        self.asleep.store(true, Ordering::SeqCst);
        !self.called.load(Ordering::SeqCst)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

fn tick(own: &Weak<Ticker>, engine: &wasmtime::Engine) {
    // A device that fails may keep all processors of the host busy. Who may not have the
    // thread go before it waits for the scheduler.
    let _ = setpriority_process(Some(rustix::thread::gettid()), -20);
    // Each sleep is a little too long: counted from the last one, they would add up, and
    // deadlines would come late.
    let (mut next, mut quiet) = (Instant::now(), 0);
    while let Some(ticker) = own.upgrade() {
        quiet = if ticker.called.swap(false, Ordering::SeqCst) { 0 } else { quiet + 1 };
        if quiet > ticker.longest.load(Ordering::Relaxed) && ticker.falls_asleep() {
            drop(ticker);
            thread::park();
            (next, quiet) = (Instant::now(), 0);
            continue;
        }
        drop(ticker);
        next += TICK;
        let now = Instant::now();
        match next.checked_duration_since(now) {
            Some(left) => thread::sleep(left),
            // A host that stood still has not taken a device's time.
            None if now.duration_since(next) > STILL => next = now,
            // What is late for another reason is made up for.
            None => {}
        }
        engine.increment_epoch();
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::{Config, Engine, Instance, Module, Store, Trap};

    use super::*;

    /// A module whose function `f` never returns.
    const LOOPS: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\
        \x07\x05\x01\x01f\0\0\x0a\x09\x01\x07\0\x03\x40\x0c\0\x0b\x0b";

    fn wait_for_sleep(ticker: &Ticker) {
        while !ticker.asleep.load(Ordering::SeqCst) {
            thread::yield_now();
        }
    }

    #[test]
    fn it_sleeps_when_nobody_calls_and_is_awake_for_those_who_do() {
        let engine = Engine::new(Config::new().epoch_interruption(true)).unwrap();
        let ticker = Ticker::start(engine.clone()).unwrap();
        ticker.allow(10);
        let mut store = Store::new(&engine, ());
        let module = Module::new(&engine, LOOPS).unwrap();
        store.set_epoch_deadline(10);
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let endless = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap();
        for _ in 0..3 {
            wait_for_sleep(&ticker);
            store.set_epoch_deadline(10);
            ticker.call_begins();
            let error = endless.call(&mut store, ()).unwrap_err();
            assert_eq!(error.downcast_ref(), Some(&Trap::Interrupt));
        }
        let (thread, own) = (ticker.thread.get().unwrap().clone(), Arc::downgrade(&ticker));
        drop(ticker);
        assert!(own.upgrade().is_none(), "{thread:?} keeps it");
    }
}
