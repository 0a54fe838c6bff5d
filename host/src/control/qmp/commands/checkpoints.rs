//! Southbridge's own commands: states that are kept in case a device fails, and
//! devices that come back with them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::devices::Replaced;
use crate::control::qmp::{Call, Done, Error, Registry};
use crate::machine::Machine;
use crate::slot::CheckpointSummary;

pub(super) fn register(registry: &mut Registry) {
    registry.add("__org.southbridge_checkpoint", checkpoint);
    registry.add("__org.southbridge_forget-checkpoint", forget_checkpoint);
    registry.add("__org.southbridge_restore", restore);
}

/// Arguments of `__org.southbridge_checkpoint`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The slot; all if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot: Option<String>,
}

/// A state that is kept. Displays as one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Kept {
    /// The slot.
    pub slot: String,
    /// The device whose state it is: name, version, build.
    pub device: String,
    /// The machine's clock when it was taken, in nanoseconds.
    pub time: u64,
    /// How many bytes the state has.
    pub bytes: usize,
}

impl Kept {
    fn new(slot: &str, summary: &CheckpointSummary) -> Self {
        let CheckpointSummary { image, time, bytes } = summary;
        Self { slot: slot.into(), device: image.title(), time: *time, bytes: *bytes }
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, device, time, bytes } = self;
        write!(f, "{slot}: {device}, {bytes} bytes kept at {time} ns")
    }
}

fn checkpoint(call: &Call<'_>, Checkpoint { slot }: Checkpoint) -> Result<Vec<Kept>, Error> {
    match slot {
        Some(slot) => {
            let summary = call.machine().checkpoint(&slot).map_err(Error::generic)?;
            Ok(vec![Kept::new(&slot, &summary)])
        }
        None => checkpoint_all(call.machine()),
    }
}

/// Keeps the states of all devices. One that is out of service has none: its last
/// checkpoint stays, and the others are kept all the same.
fn checkpoint_all(machine: &Machine) -> Result<Vec<Kept>, Error> {
    let (mut kept, mut failed) = (Vec::new(), Vec::new());
    for (slot, result) in machine.checkpoint_all() {
        match result {
            Ok(summary) => kept.push(Kept::new(&slot, &summary)),
            Err(error) => failed.push(error.to_string()),
        }
    }
    match failed.as_slice() {
        [] => Ok(kept),
        _ => Err(Error::generic(format_args!("{}; all others are kept", failed.join("; ")))),
    }
}

/// Arguments of `__org.southbridge_forget-checkpoint`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgetCheckpoint {
    /// The slot.
    pub slot: String,
}

fn forget_checkpoint(
    call: &Call<'_>,
    ForgetCheckpoint { slot }: ForgetCheckpoint,
) -> Result<Done, Error> {
    call.machine().forget_checkpoint(&slot).map_err(Error::generic)?;
    Ok(Done {})
}

/// Arguments of `__org.southbridge_restore`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// The slot.
    pub slot: String,
}

fn restore(call: &Call<'_>, Restore { slot }: Restore) -> Result<Replaced, Error> {
    let swapped = call.machine().restore(&slot).map_err(Error::generic)?;
    Ok(Replaced::new(slot, &swapped))
}
