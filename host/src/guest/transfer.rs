//! A guest goes elsewhere, or comes from there.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Guest, Refused, RunState};
use crate::migrate::{Arrived, RunStateName};

/// A guest that stands still while the last of its state is sent. Dropped, it goes
/// on as it was: its state did not arrive.
pub struct HandOver {
    guest: Arc<Guest>,
    before: RunState,
    done: bool,
}

impl Guest {
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
            _ if self.processors.have_state() && self.has_run.load(Ordering::Relaxed) => {
                Err(Refused::ProcessorState)
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
        Ok(HandOver { guest: self.clone(), before, done: false })
    }

    /// The guest's state is there. It goes on with what it did where it was saved, if
    /// the state says that, and runs only if it was meant to.
    ///
    /// # Errors
    /// The guest did not wait for a state, or there are processors here whose state
    /// would be lost.
    pub fn arrived(&self, arrived: &Arrived) -> Result<(), Refused> {
        let mut life = self.life();
        if life.state != RunState::InMigrate {
            return Err(Refused::NotIncoming(life.state));
        }
        if arrived.processors_have_run && self.processors.have_state() {
            return Err(Refused::ArrivedProcessorState);
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
    /// What the guest did until now.
    #[must_use]
    pub fn before(&self) -> RunStateName {
        self.before.into()
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
