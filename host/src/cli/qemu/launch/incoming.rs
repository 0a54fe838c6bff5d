//! `-incoming`: the machine waits for its state.

use crate::cli::Result;
use crate::cli::qemu::invocation::{Incoming, Invocation};
use crate::control::qmp::Qmp;
use std::os::fd::OwnedFd;

/// Begins to wait for the state, if the command line says where it comes from.
pub(super) fn begin(invocation: &Invocation, qmp: &Qmp) -> Result<()> {
    match &invocation.incoming {
        Some(Incoming::From(uri)) => Ok(qmp.receive(uri, &mut |_| None::<OwnedFd>)?),
        // `migrate-incoming` will say.
        Some(Incoming::Defer) | None => Ok(()),
    }
}
