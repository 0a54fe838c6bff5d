//! Errors and warnings, in QEMU's words and QEMU's form.

use std::fmt;

/// A line and the hint that follows it, if any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    text: String,
    hint: Option<&'static str>,
}

/// Why a command line is refused: what QEMU would print, or what it would if it
/// were a program without this device. [`report`](Error::report) puts the
/// program's name before each line; hints follow without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What was warned of before.
    warnings: Vec<String>,
    messages: Vec<Message>,
}

impl Error {
    /// An error that is not about one option.
    pub(super) fn new(text: impl Into<String>) -> Self {
        let message = Message { text: text.into(), hint: None };
        Self { warnings: Vec::new(), messages: vec![message] }
    }

    /// An error about an option and its argument, as they were written.
    pub(super) fn at(place: &str, text: impl fmt::Display) -> Self {
        Self::new(format!("{place}: {text}"))
    }

    /// The error with lines after it that help: QEMU prints them as they are.
    pub(super) fn hint(mut self, hint: &'static str) -> Self {
        if let Some(message) = self.messages.last_mut() {
            message.hint = Some(hint);
        }
        self
    }

    /// The error, and then another one.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.messages.extend(other.messages);
        self
    }

    /// The error, after these warnings.
    pub(super) fn after(mut self, warnings: Vec<String>) -> Self {
        self.warnings = warnings;
        self
    }

    /// The error as it is printed by a program of this name: lines, each with its
    /// end.
    #[must_use]
    pub fn report(&self, program: &str) -> String {
        let line = |Message { text, hint }: &Message| {
            let hint = hint.map(|hint| format!("{hint}\n")).unwrap_or_default();
            format!("{program}: {text}\n{hint}")
        };
        let warnings = self.warnings.iter().map(|text| format!("{program}: {text}\n"));
        warnings.chain(self.messages.iter().map(line)).collect()
    }
}

impl fmt::Display for Error {
    /// One line, without warnings and hints.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<&str> = self.messages.iter().map(|message| message.text.as_str()).collect();
        f.write_str(&texts.join("; "))
    }
}

impl std::error::Error for Error {}

/// What is wrong with a value or a list of options, not yet with the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Problem {
    pub(super) text: String,
    pub(super) hint: Option<&'static str>,
}

impl Problem {
    /// The error at an option and its argument.
    pub(super) fn at(self, place: &str) -> Error {
        let error = Error::at(place, self.text);
        self.hint.into_iter().fold(error, Error::hint)
    }

    /// The error without a place: what QEMU finds after it has read all options.
    pub(super) fn bare(self) -> Error {
        let error = Error::new(self.text);
        self.hint.into_iter().fold(error, Error::hint)
    }
}

impl fmt::Display for Problem {
    /// Without the hint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<String> for Problem {
    fn from(text: String) -> Self {
        Self { text, hint: None }
    }
}

impl From<&str> for Problem {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}
