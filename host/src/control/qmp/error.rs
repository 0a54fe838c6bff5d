//! What a command that failed is answered.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a command was not executed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{desc}")]
pub struct Error {
    /// For programs.
    pub class: Class,
    /// One line for people, in QEMU's words where QEMU has them.
    pub desc: String,
}

/// QMP's classes of errors (`QapiErrorClass`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Class {
    /// All that needs no class of its own.
    GenericError,
    /// There is no such command, or not now.
    CommandNotFound,
    /// A device is there, and not in use.
    DeviceNotActive,
    /// There is no such device.
    DeviceNotFound,
    /// The kernel's KVM lacks something.
    KVMMissingCap,
}

impl Error {
    /// An error of a class.
    #[must_use]
    pub fn new(class: Class, desc: impl fmt::Display) -> Self {
        Self { class, desc: desc.to_string() }
    }

    /// An error without a class of its own.
    #[must_use]
    pub fn generic(desc: impl fmt::Display) -> Self {
        Self::new(Class::GenericError, desc)
    }

    pub(super) fn parse(what: impl fmt::Display) -> Self {
        Self::generic(format_args!("JSON parse error, {what}"))
    }

    /// `what` failed for a reason of the system's, which is put as QEMU puts it:
    /// `what: No such file or directory`.
    #[must_use]
    pub fn system(what: impl fmt::Display, reason: &std::io::Error) -> Self {
        let reason = reason.to_string();
        let end = reason.find(" (os error ").unwrap_or(reason.len());
        Self::generic(format_args!("{what}: {}", &reason[..end]))
    }
}
