//! A guest's life: running, paused, suspended, ended.
//!
//! What the guest does to itself is seen to by the thread in [`Guest::run`], what
//! others want by whoever asks; never by a processor, which cannot wait for itself
//! to stop. Changes take turns.

use std::sync::mpsc::channel;
use std::sync::{MutexGuard, PoisonError};

use super::inbox::Message;
use super::{Cause, Error, Event, Guest, Inbox, Refused, RunState, Start};
use crate::component::{Request, WakeupReason};
use crate::log_limit::LogLimit;
use crate::machine::{Machine, PowerEvent};
use crate::vm::{CpuState, VmEvent};

/// What a guest does, and is to do.
pub(super) struct Life {
    pub(super) state: RunState,
    /// Whether it runs as soon as its state is there.
    pub(super) autostart: bool,
}

impl Life {
    pub(super) const fn new(start: Start) -> Self {
        let state = if start.is_incoming() { RunState::InMigrate } else { RunState::Prelaunch };
        Self { state, autostart: start.is_automatic() }
    }
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
    /// Lets the guest live, as its policy says, and returns when it has ended.
    pub fn run(&self, inbox: Inbox) -> Outcome {
        if self.policy.start == Start::Running {
            self.let_run(&mut self.life());
        }
        // A guest can ask for something at every access.
        let mut messages = LogLimit::new("guest".into(), 100);
        let outcome = loop {
            let Ok(message) = inbox.0.recv() else { break Outcome::Quit };
            if tracing::enabled!(tracing::Level::DEBUG) && messages.pass() {
                tracing::debug!(?message, "guest");
            }
            match self.handle(message) {
                Ok(None) => {}
                Ok(Some(outcome)) => break outcome,
                Err(error) => break Outcome::Failed(error.to_string()),
            }
        };
        // Nobody is told: the machine does not stand still, it is gone.
        self.processors.stop();
        self.processors.end();
        outcome
    }

    /// Ends the guest: [`Guest::run`] returns soon.
    pub fn quit(&self, cause: Cause) {
        // If nobody runs the guest there is nothing to end.
        let _ = self.post.0.send(Message::End(cause));
    }

    /// Ends the guest because it cannot begin, for a reason in one line.
    pub fn fail(&self, reason: String) {
        // If nobody runs the guest there is nothing to end.
        let _ = self.post.0.send(Message::Fail(reason));
    }

    /// Waits until all is done that devices and processors have asked for so far.
    /// False if the guest has ended. Only while [`Guest::run`] runs, or will.
    pub fn settle(&self) -> bool {
        let (sender, receiver) = channel();
        self.post.0.send(Message::Settle(sender)).is_ok() && receiver.recv().is_ok()
    }

    /// What the guest does now.
    #[must_use]
    pub fn state(&self) -> RunState {
        self.life().state
    }

    /// Stops processors and clock. One that waits for its state will not run when
    /// it has it; others that do not run stay as they are.
    pub fn pause(&self) {
        let mut life = self.life();
        match life.state {
            RunState::InMigrate => life.autostart = false,
            _ => self.stop_in(&mut life, RunState::Paused),
        }
    }

    /// Lets processors and clock run. One that waits for its state will run when
    /// it has it; one that is suspended stays so.
    ///
    /// # Errors
    /// The guest cannot go on, or is being sent elsewhere.
    pub fn resume(&self) -> Result<(), Refused> {
        let mut life = self.life();
        match life.state {
            state if state.needs_reset() => return Err(Refused::NeedsReset),
            RunState::FinishMigrate => return Err(Refused::Migrating),
            RunState::Suspended | RunState::Running => {}
            RunState::InMigrate => life.autostart = true,
            _ => self.let_run(&mut life),
        }
        Ok(())
    }

    /// A system reset: all devices, then the processors, which start again with
    /// what the guest boots. One that does not run waits to be let run. If a reset
    /// counts as switching off, that is what it does, as in QEMU.
    ///
    /// # Errors
    /// The boot image does not load any more, or KVM refuses.
    pub fn reset(&self) -> Result<(), Error> {
        if self.policy.reset_is_shutdown {
            // If nobody runs the guest there is nothing to end.
            let _ = self.post.0.send(Message::Off(Cause::Asked));
            return Ok(());
        }
        self.reset_for(Cause::Asked)
    }

    /// The operator presses the power button.
    pub fn press_power_button(&self) {
        let life = self.life();
        self.listeners.tell(Event::PowerDown);
        self.held_still(&life, &mut Machine::press_power_button);
    }

    /// Leaves S3 for no reason of the guest's.
    ///
    /// # Errors
    /// The guest is not suspended, or cannot be woken: the outer error is that.
    pub fn wake(&self) -> Result<(), Refused> {
        match self.state() {
            RunState::Suspended => {
                // Done in the order in which it was asked for, like a device's
                // wish to wake.
                let event = PowerEvent::Wake(WakeupReason::Other);
                let _ = self.post.0.send(Message::Power(event, None));
                Ok(())
            }
            _ => Err(Refused::NotSuspended),
        }
    }

    /// Does something while the processors stand still and nothing reaches the
    /// devices. To the guest, and to those who watch it, nothing happens.
    pub fn still<R>(&self, action: impl FnOnce(&Machine) -> R) -> Option<R> {
        let life = self.life();
        let (mut action, mut result) = (Some(action), None);
        self.held_still(&life, &mut |machine| {
            result = action.take().map(|action| action(machine));
        });
        result
    }

    /// What the registers of a processor hold; none if there is no such processor. To
    /// the guest, and to those who watch it, nothing happens.
    ///
    /// # Errors
    /// KVM refuses.
    pub fn cpu_state(&self, cpu: usize) -> Result<Option<CpuState>, Error> {
        let life = self.life();
        let mut state = Ok(None);
        self.held_still(&life, &mut |_| state = self.processors.state_of(cpu));
        state
    }

    pub(super) fn held_still(&self, life: &Life, action: &mut dyn FnMut(&Machine)) {
        match life.state {
            RunState::Running => {
                self.processors.stop();
                self.processors.still(action);
                self.processors.start();
            }
            _ => self.processors.still(action),
        }
    }

    fn handle(&self, message: Message) -> Result<Option<Outcome>, Error> {
        match message {
            Message::Settle(waiting) => drop(waiting.send(())),
            Message::End(cause) => {
                self.listeners.tell(Event::Shutdown(cause));
                return Ok(Some(Outcome::Quit));
            }
            Message::Off(cause) => return Ok(self.off(cause)),
            Message::Fail(reason) => return Ok(Some(Outcome::Failed(reason))),
            Message::Power(event, _held) => return self.power(event),
            // A PC's chipset answers a processor's shutdown cycle with a reset.
            Message::Vm(VmEvent::TripleFault { .. }) => return self.guest_reset(),
            Message::Vm(event) => return Ok(self.failed(&event)),
        }
        Ok(None)
    }

    fn power(&self, event: PowerEvent) -> Result<Option<Outcome>, Error> {
        match event {
            PowerEvent::Exit(status) => return Ok(Some(Outcome::Exit(status))),
            PowerEvent::Wake(reason) => self.leave_suspend(reason)?,
            PowerEvent::Asked(Request::Reset) => return self.guest_reset(),
            PowerEvent::Asked(Request::Shutdown) => return Ok(self.off(Cause::GuestShutdown)),
            // What is on disk is the guest's affair; to the machine both are the
            // end.
            PowerEvent::Asked(Request::SuspendToDisk) => {
                self.listeners.tell(Event::SuspendDisk);
                return Ok(self.off(Cause::GuestShutdown));
            }
            PowerEvent::Asked(Request::Suspend) => self.suspend(),
            PowerEvent::Asked(Request::Panicked) => {
                self.listeners.tell(Event::Panicked);
                self.stop_in(&mut self.life(), RunState::GuestPanicked);
            }
            PowerEvent::DriveFailed => self.stop_in(&mut self.life(), RunState::IoError),
        }
        Ok(None)
    }

    /// The guest switches the machine off.
    fn off(&self, cause: Cause) -> Option<Outcome> {
        self.listeners.tell(Event::Shutdown(cause));
        if !self.policy.stays_when_off {
            return Some(Outcome::Shutdown);
        }
        self.stop_in(&mut self.life(), RunState::Shutdown);
        None
    }

    fn guest_reset(&self) -> Result<Option<Outcome>, Error> {
        if self.policy.reset_is_shutdown {
            return Ok(self.off(Cause::GuestReset));
        }
        self.reset_for(Cause::GuestReset)?;
        Ok(None)
    }

    fn failed(&self, event: &VmEvent) -> Option<Outcome> {
        let what = describe(event);
        if !self.policy.stays_when_failed {
            return Some(Outcome::Failed(what));
        }
        tracing::error!("{what}");
        self.stop_in(&mut self.life(), RunState::InternalError);
        None
    }

    fn reset_for(&self, cause: Cause) -> Result<(), Error> {
        let mut life = self.life();
        let runs = life.state == RunState::Running;
        if runs {
            self.processors.stop();
        }
        self.processors.still(&mut Machine::reset);
        self.processors.reset()?;
        self.listeners.tell(Event::Reset(cause));
        if runs {
            self.processors.start();
        } else if life.state != RunState::InMigrate {
            life.state = RunState::Prelaunch;
        }
        Ok(())
    }

    fn suspend(&self) {
        let mut life = self.life();
        if life.state == RunState::Running {
            self.processors.suspend();
            life.state = RunState::Suspended;
            self.listeners.tell(Event::Suspend);
        }
    }

    /// Leaves S3 as QEMU does: a reset with RAM kept, so that firmware finds the
    /// guest's wake-up vector, then the devices hear why. A kernel without
    /// firmware has nobody who would know the vector: it starts anew.
    fn leave_suspend(&self, reason: WakeupReason) -> Result<(), Error> {
        let mut life = self.life();
        if life.state == RunState::Suspended {
            self.processors.still(&mut Machine::reset);
            self.processors.reset()?;
            self.processors.still(&mut |machine| machine.woken(reason));
            self.processors.start();
            life.state = RunState::Running;
            self.listeners.tell(Event::Wakeup);
        }
        Ok(())
    }

    /// Lets a guest that does not run run.
    pub(super) fn let_run(&self, life: &mut Life) {
        self.listeners.tell(Event::Resume);
        life.state = RunState::Running;
        self.processors.start();
        self.machine().retry_held_requests();
    }

    /// Stops a guest that runs, and says what it does then; others stay as they
    /// are.
    pub(super) fn stop_in(&self, life: &mut Life, state: RunState) {
        if life.state == RunState::Running {
            self.processors.stop();
            life.state = state;
            self.listeners.tell(Event::Stop);
        }
    }

    pub(super) fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
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
