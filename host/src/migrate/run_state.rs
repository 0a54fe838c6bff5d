//! What a machine did when it was saved: the section `globalstate`.

use std::fmt;
use std::str::FromStr;

use vmstate::{Section, Writer};

pub(super) const NAME: &str = "globalstate";

/// The room for the state's name, with a zero at its end.
const ROOM: usize = 100;

/// Where QEMU 9.0 and later have two flags, in what was room for the name before:
/// whether the second counts, and whether the guest was suspended when it was paused.
const FLAGS: std::ops::Range<usize> = 4 + 32..4 + 34;

/// QEMU's names of what a machine can be doing (`RunState` of its schema).
const NAMES: [&str; 17] = [
    "debug",
    "inmigrate",
    "internal-error",
    "io-error",
    "paused",
    "postmigrate",
    "prelaunch",
    "finish-migrate",
    "restore-vm",
    "running",
    "save-vm",
    "shutdown",
    "suspended",
    "watchdog",
    "guest-panicked",
    "colo",
    "preconfig",
];

/// What a machine does, by QEMU's name: `running`, `paused`, `shutdown`. Whoever
/// loads a state goes on with that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunStateName(&'static str);

impl RunStateName {
    /// Its processors run.
    pub const RUNNING: Self = Self("running");
    /// Its processors were stopped.
    pub const PAUSED: Self = Self("paused");
    /// It has not been started yet.
    pub const PRELAUNCH: Self = Self("prelaunch");
    /// It has switched itself off.
    pub const SHUTDOWN: Self = Self("shutdown");
    /// It is suspended to RAM.
    pub const SUSPENDED: Self = Self("suspended");

    /// QEMU's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0
    }

    /// Reads the section; none if it is not one of QEMU's.
    pub(super) fn read(section: &Section) -> Option<Self> {
        let text = section.payload.get(4..)?;
        let length = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        std::str::from_utf8(&text[..length]).ok()?.parse().ok()
    }

    /// The section's payload.
    fn payload(self) -> Vec<u8> {
        let mut payload = Writer::new();
        payload.integer(self.0.len() as u64 + 1, 4);
        let mut text = [0; ROOM];
        text[..self.0.len()].copy_from_slice(self.0.as_bytes());
        payload.bytes(&text);
        payload.into_bytes()
    }

    pub(super) fn section(self) -> Section {
        let (name, payload) = (NAME.to_owned(), self.payload());
        Section { id: 0, name, instance: 0, version: 1, payload, offset: 0 }
    }

    /// Puts the state into the section, if it is among these.
    pub(super) fn update(self, sections: &mut [Section]) {
        let Some(section) = sections.iter_mut().find(|section| section.name == NAME) else {
            return;
        };
        if Self::read(section) == Some(self) {
            return;
        }
        let flags = section.payload.get(FLAGS).map(|flags| flags[0]);
        section.payload = self.payload();
        // The other flag speaks of the state that was there.
        if let Some(has_flag) = flags {
            section.payload[FLAGS.start] = has_flag;
        }
    }
}

impl fmt::Display for RunStateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Not one of QEMU's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a run state of QEMU's")]
pub struct UnknownRunState;

impl FromStr for RunStateName {
    type Err = UnknownRunState;

    fn from_str(name: &str) -> Result<Self, UnknownRunState> {
        NAMES.into_iter().find(|known| *known == name).map(Self).ok_or(UnknownRunState)
    }
}
