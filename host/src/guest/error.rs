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
    /// Its processors have run, and what they hold cannot be sent yet.
    #[error(
        "the guest's processors have run, and their state cannot be sent yet; \
         only a guest that was started with -S and never let run can be migrated"
    )]
    ProcessorState,
    /// The state that arrived holds processors in the middle of something.
    #[error(
        "the processors had run where the state was saved, and what they did cannot be \
         loaded yet; without processors (-accel qtest) the devices can be looked at"
    )]
    ArrivedProcessorState,
}
