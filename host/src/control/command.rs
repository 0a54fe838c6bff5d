//! What the commands do.

use serde::Serialize;
use serde_json::Value;

use super::Subject;
use super::protocol::{Command, Device, Problem, Replaced};
use super::save::save;
use crate::library::Library;

/// Executes a command and returns what goes to the client.
pub(super) fn execute(
    command: Command,
    subject: &dyn Subject,
    library: &Library,
) -> Result<Value, Problem> {
    let machine = subject.machine();
    match command {
        Command::QueryDevices => {
            let devices: Vec<_> = machine.status().iter().map(Device::from).collect();
            value(&devices)
        }
        Command::Swap { slot, component } => {
            let image = library.get(&component).map_err(Problem::new)?;
            let swapped = machine.swap(&slot, &image).map_err(Problem::new)?;
            value(&Replaced::new(slot, &swapped))
        }
        Command::RollBack { slot } => {
            let swapped = machine.roll_back(&slot).map_err(Problem::new)?;
            value(&Replaced::new(slot, &swapped))
        }
        Command::SaveState { filename } => value(&save(subject, filename.as_ref())?),
    }
}

fn value(answer: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(answer).map_err(Problem::new)
}
