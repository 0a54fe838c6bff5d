//! A guest's life: running, paused, suspended, ended.
//!
//! All changes of state happen on the thread that calls [`Guest::run`], or on
//! one that calls [`Guest::pause`] and the like, never on a processor's: a
//! processor cannot wait for itself to stop.

use std::sync::{MutexGuard, PoisonError};

use super::{Error, Event, Events, Guest};
use crate::component::{Request, WakeupReason};
use crate::machine::PowerEvent;
use crate::vm::VmEvent;

/// What the processors and the clock do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunState {
    /// Both stand still.
    #[default]
    Paused,
    /// Both run.
    Running,
    /// Suspended to RAM: the processors stand still, the clock runs.
    Suspended,
}

/// How a guest ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It switched itself off.
    Shutdown,
    /// A device ended it with an exit status.
    Exit(u8),
    /// Somebody outside ended it.
    Quit,
    /// A processor cannot go on.
    Failed(String),
}

impl Guest {
    /// Lets the guest run and returns when it has ended.
    pub fn run(&self, events: &Events) -> Outcome {
        self.resume();
        let outcome = loop {
            let Ok(event) = events.0.recv() else { break Outcome::Quit };
            tracing::debug!(?event, "guest event");
            match self.handle(event) {
                Ok(None) => {}
                Ok(Some(outcome)) => break outcome,
                Err(error) => break Outcome::Failed(error.to_string()),
            }
        };
        self.pause();
        self.vm.stop();
        outcome
    }

    /// Ends the guest: [`Guest::run`] returns soon.
    pub fn quit(&self) {
        // If nobody runs the guest there is nothing to end.
        let _ = self.events.send(Event::Quit);
    }

    /// What the guest does now.
    #[must_use]
    pub fn state(&self) -> RunState {
        *self.lock()
    }

    /// Stops processors and clock. No effect unless the guest runs.
    pub fn pause(&self) {
        let mut state = self.lock();
        if *state == RunState::Running {
            self.stop_processors();
            *state = RunState::Paused;
        }
    }

    /// Lets processors and clock run. No effect unless the guest is paused.
    pub fn resume(&self) {
        let mut state = self.lock();
        if *state == RunState::Paused {
            self.start_processors();
            *state = RunState::Running;
        }
    }

    /// A system reset: all devices, then the processors, which start again with
    /// what the guest boots. A paused guest stays paused.
    ///
    /// # Errors
    /// The boot image does not load any more, or KVM refuses.
    pub fn reset(&self) -> Result<(), Error> {
        let mut state = self.lock();
        let was = *state;
        if was == RunState::Running {
            self.stop_processors();
        }
        self.machine.reset();
        let entry = self.boot.load(self.vm.memory())?;
        self.vm.reset(&entry)?;
        *state = RunState::Paused;
        if was != RunState::Paused {
            self.start_processors();
            *state = RunState::Running;
        }
        Ok(())
    }

    fn handle(&self, event: Event) -> Result<Option<Outcome>, Error> {
        match event {
            Event::Quit => return Ok(Some(Outcome::Quit)),
            Event::Power(PowerEvent::Exit(status)) => return Ok(Some(Outcome::Exit(status))),
            Event::Power(PowerEvent::Wake(reason)) => self.wake(reason)?,
            Event::Power(PowerEvent::Asked(request)) => match request {
                Request::Reset => self.reset()?,
                // What is on disk is the guest's affair; to the machine both are
                // the end.
                Request::Shutdown | Request::SuspendToDisk => return Ok(Some(Outcome::Shutdown)),
                Request::Suspend => self.suspend(),
            },
            // A PC's chipset answers a processor's shutdown cycle with a reset.
            Event::Vm(VmEvent::TripleFault { .. }) => self.reset()?,
            Event::Vm(event) => return Ok(Some(Outcome::Failed(describe(&event)))),
        }
        Ok(None)
    }

    fn suspend(&self) {
        let mut state = self.lock();
        if *state == RunState::Running {
            self.vm.pause();
            *state = RunState::Suspended;
        }
    }

    /// Leaves S3 as QEMU does: a reset with RAM kept, so that firmware finds the
    /// guest's wake-up vector, then the devices hear why. A kernel without
    /// firmware has nobody who would know the vector: it starts anew.
    fn wake(&self, reason: WakeupReason) -> Result<(), Error> {
        let mut state = self.lock();
        if *state == RunState::Suspended {
            self.machine.reset();
            let entry = self.boot.load(self.vm.memory())?;
            self.vm.reset(&entry)?;
            self.machine.woken(reason);
            self.vm.resume();
            *state = RunState::Running;
        }
        Ok(())
    }

    fn start_processors(&self) {
        self.machine.start_clock();
        self.vm.resume();
    }

    fn stop_processors(&self) {
        self.vm.pause();
        self.machine.stop_clock();
    }

    fn lock(&self) -> MutexGuard<'_, RunState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn describe(event: &VmEvent) -> String {
    match event {
        VmEvent::InternalError { cpu, detail } => {
            format!("processor {cpu}: KVM cannot go on: {detail}")
        }
        VmEvent::EntryFailed { cpu, reason } => {
            format!("processor {cpu}: the hardware refuses its state: reason {reason:#x}")
        }
        other => format!("{other:?}"),
    }
}
