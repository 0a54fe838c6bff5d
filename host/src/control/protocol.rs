//! What goes over the socket.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::slot::{Status, Swapped};

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
    /// Calls into the device.
    pub calls: u64,
    /// Replacements that succeeded.
    pub swaps: u64,
    /// Faults.
    pub faults: u64,
    /// Effects that named something undeclared.
    pub violations: u64,
}

impl From<&Status> for Device {
    fn from(status: &Status) -> Self {
        Self {
            slot: status.name.to_string(),
            device: status.image.title(),
            hash: status.image.hash().into(),
            fault: status.fault.as_ref().map(ToString::to_string),
            calls: status.counts.calls,
            swaps: status.counts.swaps,
            faults: status.counts.faults,
            violations: status.counts.violations,
        }
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
}

impl Replaced {
    pub(super) fn new(slot: String, swapped: &Swapped) -> Self {
        Self {
            slot,
            from: swapped.from.title(),
            to: swapped.to.title(),
            blackout_us: u64::try_from(swapped.blackout.as_micros()).unwrap_or(u64::MAX),
            state_moved: swapped.state_moved,
        }
    }
}

impl fmt::Display for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, from, to, blackout_us, state_moved } = self;
        write!(f, "{slot}: {from} -> {to}, blackout {blackout_us} us")?;
        if !state_moved {
            f.write_str(", reset: the old device was out of service and had no state to move")?;
        }
        Ok(())
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
        "roll-back" => {
            read(&execute, arguments).map(|RollBack { slot }| Command::RollBack { slot })
        }
        "save-state" => {
            read(&execute, arguments).map(|SaveState { filename }| Command::SaveState { filename })
        }
        _ => Err(Problem {
            class: Class::CommandNotFound,
            desc: format!(
                "no command {execute:?}: query-devices, swap, roll-back or save-state expected"
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
struct RollBack {
    slot: String,
}

fn read<T: DeserializeOwned>(command: &str, arguments: Map<String, Value>) -> Result<T, Problem> {
    serde_json::from_value(Value::Object(arguments))
        .map_err(|error| Problem::new(format!("arguments of {command}: {error}")))
}
