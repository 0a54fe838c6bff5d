//! What goes over the socket.

use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::machine::Machine;
use crate::slot::{CheckpointSummary, FaultRecord, Status, Swapped};

/// What a client can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "execute", content = "arguments", rename_all = "kebab-case")]
pub enum Command {
    /// What is in each slot. Returns a list of [`Device`].
    QueryDevices,
    /// Replaces the device in a slot. Returns [`Replaced`].
    Swap {
        /// The slot, by its device's id in the machine.
        slot: String,
        /// The new component: the name of one in the program, or a file as the
        /// process of the guest sees it.
        component: String,
    },
    /// Goes back to what the last swap of a slot replaced. Returns [`Replaced`].
    RollBack {
        /// The slot.
        slot: String,
    },
    /// Keeps the state of the device in a slot, or of all devices, for the case
    /// that they fail. Returns a list of [`Kept`].
    Checkpoint {
        /// The slot; all if none.
        #[serde(skip_serializing_if = "Option::is_none")]
        slot: Option<String>,
    },
    /// Drops the state that is kept in a slot, so that the next device in place of
    /// one that has failed starts as after a reset.
    ForgetCheckpoint {
        /// The slot.
        slot: String,
    },
    /// Puts a device that has failed back in service, with the state that is kept.
    /// Returns [`Replaced`].
    Restore {
        /// The slot.
        slot: String,
    },
    /// The last faults. Returns a list of [`Faulted`].
    QueryFaults {
        /// The slot; all if none.
        #[serde(skip_serializing_if = "Option::is_none")]
        slot: Option<String>,
    },
    /// Saves the state of all devices as a stream of QEMU's, while the
    /// processors stand still. Returns [`Saved`].
    SaveState {
        /// The file, as the process of the guest sees it. It is complete or as it
        /// was.
        filename: String,
    },
}

/// What is in a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Device {
    /// The slot's name.
    pub slot: String,
    /// The device's name, version and build, as people say it.
    pub device: String,
    /// SHA-256 of the component's bytes, in hexadecimal.
    pub hash: String,
    /// Why the device is out of service, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// How old its checkpoint is by the machine's clock, in nanoseconds, if there
    /// is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_age_ns: Option<u64>,
    /// How many of its regions are mapped.
    pub mapped: usize,
    /// Reads by the guest.
    pub reads: u64,
    /// Writes by the guest.
    pub writes: u64,
    /// Calls into the device.
    pub calls: u64,
    /// Time of the calls, in nanoseconds, if it is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_ns: Option<u64>,
    /// Replacements that succeeded.
    pub swaps: u64,
    /// Times it was put back in service.
    pub restores: u64,
    /// Faults.
    pub faults: u64,
    /// Effects that named something undeclared.
    pub violations: u64,
    /// Messages to the log that were dropped.
    pub messages_dropped: u64,
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Device {
    /// What is in each slot of a machine.
    #[must_use]
    pub fn all(machine: &Machine) -> Vec<Self> {
        let now = machine.clock().now();
        machine.status().iter().map(|status| Self::new(status, now)).collect()
    }

    fn new(status: &Status, now: u64) -> Self {
        let Status { name, image, fault, mapped, checkpoint, counts } = status;
        Self {
            slot: name.to_string(),
            device: image.title(),
            hash: image.hash().into(),
            fault: fault.as_ref().map(ToString::to_string),
            checkpoint_age_ns: checkpoint.as_ref().map(|kept| now.saturating_sub(kept.time)),
            mapped: *mapped,
            reads: counts.reads,
            writes: counts.writes,
            calls: counts.calls,
            time_ns: counts.time.map(nanoseconds),
            swaps: counts.swaps,
            restores: counts.restores,
            faults: counts.faults,
            violations: counts.violations,
            messages_dropped: counts.messages_dropped,
        }
    }
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
    pub(super) fn new(slot: &str, summary: &CheckpointSummary) -> Self {
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

/// A fault. Displays as one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Faulted {
    /// The slot.
    pub slot: String,
    /// Counts up from 1 in the slot.
    pub number: u64,
    /// The device: name, version, build.
    pub device: String,
    /// The machine's clock, in nanoseconds.
    pub time: u64,
    /// The exported function that was called.
    pub export: String,
    /// What happened.
    pub reason: String,
    /// The WebAssembly functions that were active, innermost first, one a line.
    pub backtrace: String,
}

impl From<&FaultRecord> for Faulted {
    fn from(record: &FaultRecord) -> Self {
        let FaultRecord { number, slot, device, time, fault } = record;
        Self {
            slot: slot.to_string(),
            number: *number,
            device: device.clone(),
            time: *time,
            export: fault.export.into(),
            reason: fault.reason.clone(),
            backtrace: fault.backtrace.clone(),
        }
    }
}

impl fmt::Display for Faulted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, number, device, time, export, reason, .. } = self;
        write!(f, "{slot}: fault {number} at {time} ns: {device}: {export} failed: {reason}")
    }
}

/// A replacement that took place. Displays as one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Replaced {
    /// The slot.
    pub slot: String,
    /// What was plugged: name, version, build.
    pub from: String,
    /// What is plugged now.
    pub to: String,
    /// How long the slot did not answer, in microseconds.
    pub blackout_us: u64,
    /// Whether the state moved over: false if the old device was out of service.
    pub state_moved: bool,
    /// How old the checkpoint was, by the machine's clock in nanoseconds, if the
    /// new device started from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_age_ns: Option<u64>,
}

impl Replaced {
    pub(super) fn new(slot: String, swapped: &Swapped) -> Self {
        Self {
            slot,
            from: swapped.from.title(),
            to: swapped.to.title(),
            blackout_us: u64::try_from(swapped.blackout.as_micros()).unwrap_or(u64::MAX),
            state_moved: swapped.state_moved,
            checkpoint_age_ns: swapped.checkpoint_age.map(nanoseconds),
        }
    }
}

impl fmt::Display for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, from, to, blackout_us, state_moved, checkpoint_age_ns } = self;
        write!(f, "{slot}: {from} -> {to}, blackout {blackout_us} us")?;
        match checkpoint_age_ns {
            _ if *state_moved => Ok(()),
            Some(age) => {
                write!(f, ", with the checkpoint of {:.1?} before", Duration::from_nanos(*age))
            }
            None => {
                f.write_str(", reset: the old device was out of service and had no state to move")
            }
        }
    }
}

/// A state that was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Saved {
    /// The file.
    pub filename: String,
    /// How many sections it has.
    pub sections: usize,
    /// Its size.
    pub bytes: usize,
}

impl fmt::Display for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { filename, sections, bytes } = self;
        write!(f, "{filename}: {sections} sections, {bytes} bytes")
    }
}

/// Why a command was not executed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// QMP's class of the error.
    pub class: Class,
    /// One line for people.
    pub desc: String,
}

/// QMP's classes of errors, as far as they occur here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Class {
    /// There is no such command.
    CommandNotFound,
    /// Anything else.
    GenericError,
}

impl Problem {
    pub(super) fn new(desc: impl fmt::Display) -> Self {
        Self { class: Class::GenericError, desc: desc.to_string() }
    }
}

/// A line to the client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Reply {
    #[serde(flatten)]
    pub(super) answer: Answer,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Value>,
}

/// What a reply says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer {
    Return(Value),
    Error(Problem),
}

/// A line from the client: its `id`, and the command if it is one.
pub(super) fn parse(line: &[u8]) -> (Option<Value>, Result<Command, Problem>) {
    let value: Value = match serde_json::from_slice(line) {
        Ok(value) => value,
        Err(error) => return (None, Err(Problem::new(format!("not JSON: {error}")))),
    };
    let id = value.get("id").cloned();
    (id, command(value))
}

/// A command as it arrives.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    execute: String,
    #[serde(default)]
    arguments: Map<String, Value>,
    #[serde(rename = "id", default)]
    _id: Value,
}

fn command(value: Value) -> Result<Command, Problem> {
    if !value.is_object() {
        return Err(Problem::new("not a command: a JSON object expected"));
    }
    let Request { execute, arguments, .. } = serde_json::from_value(value)
        .map_err(|error| Problem::new(format!("not a command: {error}")))?;
    match execute.as_str() {
        "query-devices" => {
            read::<Nothing>(&execute, arguments).map(|Nothing {}| Command::QueryDevices)
        }
        "swap" => read(&execute, arguments)
            .map(|Swap { slot, component }| Command::Swap { slot, component }),
        "roll-back" => read(&execute, arguments).map(|One { slot }| Command::RollBack { slot }),
        "checkpoint" => read(&execute, arguments).map(|Any { slot }| Command::Checkpoint { slot }),
        "forget-checkpoint" => {
            read(&execute, arguments).map(|One { slot }| Command::ForgetCheckpoint { slot })
        }
        "restore" => read(&execute, arguments).map(|One { slot }| Command::Restore { slot }),
        "query-faults" => {
            read(&execute, arguments).map(|Any { slot }| Command::QueryFaults { slot })
        }
        "save-state" => {
            read(&execute, arguments).map(|SaveState { filename }| Command::SaveState { filename })
        }
        _ => Err(Problem {
            class: Class::CommandNotFound,
            desc: format!(
                "no command {execute:?}: query-devices, swap, roll-back, checkpoint, \
                 forget-checkpoint, restore, query-faults or save-state expected"
            ),
        }),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Swap {
    slot: String,
    component: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SaveState {
    filename: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    slot: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Any {
    #[serde(default)]
    slot: Option<String>,
}

fn read<T: DeserializeOwned>(command: &str, arguments: Map<String, Value>) -> Result<T, Problem> {
    serde_json::from_value(Value::Object(arguments))
        .map_err(|error| Problem::new(format!("arguments of {command}: {error}")))
}
