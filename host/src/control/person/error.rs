//! Why something is not done, in QEMU's words.

use std::fmt;

/// Why something is not done. Displays as QEMU's message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Problem {
    /// What QMP's clients tell apart.
    pub kind: Kind,
    text: String,
}

/// What QMP's clients tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// There is no such device.
    NoDevice,
    /// Anything else.
    Other,
}

impl Problem {
    pub(super) fn other(text: impl fmt::Display) -> Self {
        Self { kind: Kind::Other, text: text.to_string() }
    }

    pub(super) fn no_device(name: &str) -> Self {
        Self { kind: Kind::NoDevice, text: format!("Device '{name}' not found") }
    }
}

/// What the system says, without the number of the error.
pub(super) fn reason(error: &std::io::Error) -> String {
    let reason = error.to_string();
    let end = reason.find(" (os error ").unwrap_or(reason.len());
    reason[..end].to_owned()
}
