//! What goes over the socket.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a client can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "execute", content = "arguments", rename_all = "kebab-case")]
pub enum Command {
    /// What is in each slot. Returns a list of [`Device`](super::Device).
    QueryDevices,
    /// Replaces the device in a slot. Returns [`Replaced`](super::Replaced).
    Swap {
        /// The slot, by its device's id in the machine.
        slot: String,
        /// The new component: the name of one in the program, or a file as the
        /// process of the guest sees it.
        component: String,
    },
    /// Goes back to what the last swap of a slot replaced. Returns [`Replaced`](super::Replaced).
    RollBack {
        /// The slot.
        slot: String,
    },
    /// Keeps the state of the device in a slot, or of all devices, for the case
    /// that they fail. Returns a list of [`Kept`](super::Kept).
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
    /// Returns [`Replaced`](super::Replaced).
    Restore {
        /// The slot.
        slot: String,
    },
    /// The last faults. Returns a list of [`Faulted`](super::Faulted).
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
