//! QMP, the protocol by which QEMU's machines are controlled, as QEMU 7.2 speaks
//! it.
//!
//! A [`Qmp`] is a machine's; each client talks to it through a [`Monitor`] of its
//! own: it is greeted, negotiates capabilities with `qmp_capabilities`, and from
//! then on sends commands (`{"execute": "stop", "id": 1}`) and receives their
//! answers (`{"return": {}, "id": 1}`) and the machine's events. Format, checks and
//! words are QEMU's; `docs/qmp.md` lists the commands.
//!
//! Commands are executed one after the other, whichever monitor they come from,
//! and what devices asked for before a command is done before it, what a command
//! causes before its answer: an answer comes after the events it leads to. The
//! exceptions are commands that a client sends out of band, and what a command does
//! before it takes its turn ([`Call::turn`]).
//!
//! A client can keep what it sends, or not take what it is sent, for as long as it
//! likes: that costs bounded memory, and nobody else waits.
//!
//! # Adding a command
//! A family of commands is a file in `commands`, with a function that adds them to
//! the [`Registry`]: a name, and a function from [`Call`] and a type of arguments
//! (serde derives it, `kebab-case`; optional members are `Option`) to a type that
//! serializes as QEMU's schema says, in QEMU's order. `commands::registry` calls
//! it.

mod arguments;
mod call;
mod client;
mod commands;
mod core;
mod error;
mod events;
mod fdsets;
mod files;
mod hmp;
mod input;
mod json;
mod line;
mod migrations;
mod monitor;
mod person;
mod registry;
mod request;
mod server;
mod session;

use std::sync::Arc;

use crate::guest::Guest;
use crate::library::Library;

pub use self::core::Qmp;
pub use arguments::NoArguments;
pub use call::{Call, Turn};
pub use client::{Client, ClientError};
pub use commands::chardev::Chardev;
pub use commands::checkpoints::{Checkpoint, ForgetCheckpoint, Kept, Restore};
pub use commands::devices::{Device, Replaced, RollBack, SaveState, Saved, Swap};
pub use commands::faults::{Faulted, QueryFaults};
pub use commands::record::{EndRecord, Record, SaveRecord, SavedRecord};
pub use commands::shadow::{Commit, Shadow, ShadowDifference, ShadowNews, ShadowOf};
pub use error::{Class, Error};
pub use events::Events;
pub use files::{Access, Opened};
pub use hmp::Hmp;
pub use input::Input;
pub use json::Style;
pub use migrations::Descriptors;
pub use monitor::{Monitor, greet};
pub use person::PersonMonitor;
pub use registry::{Done, Registry};
pub use server::ControlServer;

/// The version of QEMU whose commands and words these are: major, minor, micro.
pub const QEMU_VERSION: (u32, u32, u32) = (7, 2, 22);

/// What a machine's QMP knows of it.
pub struct Setup {
    /// The machine.
    pub guest: Arc<Guest>,
    /// Where components for a swap come from.
    pub library: Arc<Library>,
    /// The machine's name, if it was given one.
    pub name: Option<String>,
    /// The machine's UUID as `query-uuid` says it; all zero if it has none.
    pub uuid: String,
    /// The character devices there are now.
    pub chardevs: Box<dyn Fn() -> Vec<Chardev> + Send + Sync>,
}

impl Setup {
    /// A machine without a name, a UUID or character devices.
    #[must_use]
    pub fn new(guest: Arc<Guest>, library: Arc<Library>) -> Self {
        let uuid = "00000000-0000-0000-0000-000000000000".into();
        Self { guest, library, name: None, uuid, chardevs: Box::new(Vec::new) }
    }
}
