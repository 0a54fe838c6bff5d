//! Where something was said, and what is wrong with it.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// A position in a text file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// Where a part of a machine was said: what an error points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file, as it was named when it was loaded, or another name of the
    /// source, such as `--set`.
    pub file: Arc<str>,
    /// The place in the file; none if the source is no file.
    pub position: Option<Position>,
    /// The path of keys: `machine.pc.device.pm.wires.sci`. May be empty.
    pub key: String,
}

impl Origin {
    /// An origin that is not a file: the option of a command line, say.
    pub fn outside(source: &str, key: &str) -> Self {
        Self { file: source.into(), position: None, key: key.to_owned() }
    }

    /// `file:line:column`, without the path of keys.
    #[must_use]
    pub fn place(&self) -> String {
        match self.position {
            Some(Position { line, column }) => format!("{}:{line}:{column}", self.file),
            None => self.file.to_string(),
        }
    }

    /// An error about what was said here.
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error { origin: Some(self.clone()), message: message.into(), hint: None }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place())?;
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        Ok(())
    }
}

/// A value and where it was said. Serializes as the value alone.
#[derive(Clone, Debug)]
pub struct Sourced<T> {
    /// What was said.
    pub value: T,
    /// Where.
    pub origin: Origin,
}

impl<T: Serialize> Serialize for Sourced<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

/// Why a machine file, or a request about a machine, is refused. Displays as
/// one line: `file:line:column: key: message; hint`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}{}", prefix(origin.as_ref()), suffix(hint.as_deref()))]
pub struct Error {
    /// What the error is about; none if no file says it.
    pub origin: Option<Origin>,
    /// What is wrong and what was expected.
    pub message: String,
    /// What may have been meant, or what to do.
    pub hint: Option<String>,
}

impl Error {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { origin: None, message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }
}

fn prefix(origin: Option<&Origin>) -> String {
    origin.map_or_else(String::new, |origin| format!("{origin}: "))
}

fn suffix(hint: Option<&str>) -> String {
    hint.map_or_else(String::new, |hint| format!("; {hint}"))
}
