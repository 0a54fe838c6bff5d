//! What the commands do.

use serde::Serialize;
use serde_json::{Map, Value};

use super::Subject;
use super::protocol::{Command, Problem};
use super::save::save;
use super::{Device, Faulted, Kept, Replaced};
use crate::library::Library;
use crate::machine::Machine;

/// Executes a command and returns what goes to the client.
pub(super) fn execute(
    command: Command,
    subject: &dyn Subject,
    library: &Library,
) -> Result<Value, Problem> {
    let machine = subject.machine();
    match command {
        Command::QueryDevices => value(&Device::all(machine)),
        Command::Swap { slot, component } => {
            let image = library.get(&component).map_err(Problem::new)?;
            let swapped = machine.swap(&slot, &image).map_err(Problem::new)?;
            value(&Replaced::new(slot, &swapped))
        }
        Command::RollBack { slot } => {
            let swapped = machine.roll_back(&slot).map_err(Problem::new)?;
            value(&Replaced::new(slot, &swapped))
        }
        Command::Checkpoint { slot: Some(slot) } => {
            let summary = machine.checkpoint(&slot).map_err(Problem::new)?;
            value(&[Kept::new(&slot, &summary)])
        }
        Command::Checkpoint { slot: None } => value(&checkpoint_all(machine)?),
        Command::ForgetCheckpoint { slot } => {
            machine.forget_checkpoint(&slot).map_err(Problem::new)?;
            Ok(Value::Object(Map::new()))
        }
        Command::Restore { slot } => {
            let swapped = machine.restore(&slot).map_err(Problem::new)?;
            value(&Replaced::new(slot, &swapped))
        }
        Command::QueryFaults { slot } => {
            let faults = machine.faults(slot.as_deref()).map_err(Problem::new)?;
            value(&faults.iter().map(|record| Faulted::from(&**record)).collect::<Vec<_>>())
        }
        Command::SaveState { filename } => value(&save(subject, filename.as_ref())?),
    }
}

/// Keeps the states of all devices. One that is out of service has none, and keeps
/// the checkpoint it has; the others are kept all the same.
fn checkpoint_all(machine: &Machine) -> Result<Vec<Kept>, Problem> {
    let results = machine.checkpoint_all().into_iter();
    let (kept, failed): (Vec<_>, Vec<_>) = results.partition(|(_, result)| result.is_ok());
    let failed: Vec<_> =
        failed.into_iter().filter_map(|(_, result)| Some(result.err()?.to_string())).collect();
    match failed.as_slice() {
        [] => Ok(kept
            .iter()
            .filter_map(|(slot, result)| Some(Kept::new(slot, result.as_ref().ok()?)))
            .collect()),
        _ => Err(Problem::new(format!("{}; the others are kept", failed.join("; ")))),
    }
}

fn value(answer: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(answer).map_err(Problem::new)
}
