//! A guest goes elsewhere, or comes from there.

use std::sync::Arc;

use super::{Guest, Refused, RunState};
use crate::migrate::{Arrived, ProcessorForm, Stopped};
use crate::vm::VmState;

/// A guest that stands still while the last of its state is sent. Dropped, it goes
/// on as it was: its state did not arrive.
pub struct HandOver {
    guest: Arc<Guest>,
    before: RunState,
    processors: Option<VmState>,
    done: bool,
}

impl Guest {
    /// What the guest's processors are in a saved state; none if there are none.
    #[must_use]
    pub fn processor_form(&self) -> Option<ProcessorForm> {
        self.processors.form()
    }

    /// Whether the guest's state can be sent elsewhere.
    ///
    /// # Errors
    /// It cannot be now, or not at all.
    pub fn check_sendable(&self) -> Result<(), Refused> {
        self.sendable(self.state())
    }

    fn sendable(&self, state: RunState) -> Result<(), Refused> {
        match state {
            RunState::InMigrate | RunState::FinishMigrate | RunState::InternalError => {
                Err(Refused::NotSendable(state))
            }
            _ => Ok(()),
        }
    }

    /// Stops the guest to send the last of its state.
    ///
    /// # Errors
    /// It cannot be sent now, or not at all.
    pub fn hand_over(self: &Arc<Self>) -> Result<HandOver, Refused> {
        let mut life = self.life();
        let before = life.state;
        self.sendable(before)?;
        self.stop_in(&mut life, RunState::FinishMigrate);
        life.state = RunState::FinishMigrate;
        drop(life);
        let mut hand_over = HandOver { guest: self.clone(), before, processors: None, done: false };
        hand_over.processors = self.processors.save().map_err(Refused::processors)?;
        Ok(hand_over)
    }

    /// The state of devices and processors as toolstacks of Xen want it, with what the
    /// guest did before it was stopped; to the guest nothing happens.
    ///
    /// # Errors
    /// A device has no state, or KVM refuses: one line.
    pub fn save_devices(&self, before: RunState) -> Result<Vec<u8>, String> {
        let life = self.life();
        let mut saved = Err(String::new());
        self.held_still(&life, &mut |machine| {
            let processors = self.processors.save().map_err(|error| error.to_string());
            saved = processors.and_then(|processors| {
                let saved = machine.save_devices(&Stopped { run_state: before.into(), processors });
                saved.map_err(|error| error.to_string())
            });
        });
        saved
    }

    /// The guest's state is there. It goes on with what it did where it was saved, if
    /// the state says that, and runs only if it was meant to.
    ///
    /// # Errors
    /// The guest did not wait for a state, or its processors do not take theirs.
    pub fn arrived(&self, arrived: &Arrived) -> Result<(), Refused> {
        let mut life = self.life();
        if life.state != RunState::InMigrate {
            return Err(Refused::NotIncoming(life.state));
        }
        if let Some(processors) = &arrived.processors {
            self.processors.load(processors).map_err(Refused::processors)?;
        }
        match arrived.run_state.map_or(RunState::Running, RunState::from) {
            RunState::Running if life.autostart => self.let_run(&mut life),
            RunState::Running => life.state = RunState::Paused,
            saved => life.state = saved,
        }
        Ok(())
    }
}

impl HandOver {
    /// What the guest did until now, and what its processors hold.
    #[must_use]
    pub fn stopped(&self) -> Stopped {
        Stopped { run_state: self.before.into(), processors: self.processors.clone() }
    }

    /// The state has arrived: the guest lives on elsewhere.
    pub fn finish(mut self) {
        self.done = true;
        self.guest.life().state = RunState::PostMigrate;
    }
}

impl Drop for HandOver {
    fn drop(&mut self) {
        if !self.done {
            let mut life = self.guest.life();
            if self.before == RunState::Running {
                self.guest.let_run(&mut life);
            } else {
                life.state = self.before;
            }
        }
    }
}
