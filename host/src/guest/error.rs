//! Why a guest does not start.

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
