//! Why a guest does not start, or does not do what it is told.

use super::RunState;
use crate::{machine, vm};

/// Why a guest does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The devices.
    #[error(transparent)]
    Machine(#[from] machine::Error),
    /// The processors, memory or boot image.
    #[error(transparent)]
    Vm(#[from] vm::Error),
    /// The host refuses a thread.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// Why a guest does not do what it is told. The words are QEMU's where QEMU has
/// them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The guest has ended, or cannot go on.
    #[error("Resetting the Virtual Machine is required")]
    NeedsReset,
    /// Its state is being sent.
    #[error("Migration is not finalized yet")]
    Migrating,
    /// It is not suspended.
    #[error("Unable to wake up: guest is not in suspended state")]
    NotSuspended,
    /// It does not wait for a state.
    #[error("the machine is {}, not waiting for an incoming state", .0.name())]
    NotIncoming(RunState),
    /// It cannot be sent in this state.
    #[error("the machine is {}: its state cannot be sent", .0.name())]
    NotSendable(RunState),
    /// What its processors hold cannot be read, or they do not take what arrived.
    #[error("{0}")]
    Processors(String),
}

impl Refused {
    /// What the processors' kernel says.
    pub(super) fn processors(error: Error) -> Self {
        Self::Processors(error.to_string())
    }
}
