//! What is said to people and programs, and in which colours.

use std::io::{self, IsTerminal as _, Write as _};

use clap::ColorChoice;
use serde::Serialize;

use super::Result;

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[1;31m";
const PLAIN: &str = "\x1b[0m";

/// The process's standard output and error.
pub(super) struct Output {
    stdout: bool,
    stderr: bool,
}

impl Output {
    pub(super) fn new(color: ColorChoice) -> Self {
        let colors = |is_terminal: bool| match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            // https://no-color.org
            ColorChoice::Auto => {
                let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
                let dumb = variable("TERM").is_none_or(|term| term == "dumb");
                is_terminal && !dumb && variable("NO_COLOR").is_none()
            }
        };
        Self {
            stdout: colors(io::stdout().is_terminal()),
            stderr: colors(io::stderr().is_terminal()),
        }
    }

    pub(super) const fn colors_stderr(&self) -> bool {
        self.stderr
    }

    /// A heading for standard output.
    pub(super) fn heading(&self, text: &str) -> String {
        if self.stdout { format!("{BOLD}{text}{PLAIN}") } else { text.into() }
    }

    /// Writes text, which ends with the end of a line, to standard output.
    pub(super) fn print(&self, text: &str) -> Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        Ok(stdout.flush()?)
    }

    /// Writes one JSON value on a line of its own.
    pub(super) fn json(&self, value: &impl Serialize) -> Result<()> {
        self.print(&format!("{}\n", serde_json::to_string(value)?))
    }

    /// Says something on the way. Nobody is left to tell if that fails.
    pub(super) fn note(&self, text: &str) {
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// Says in one line why the command failed.
    pub(super) fn error(&self, reason: &str) {
        // Messages of compilers and the like may have several lines.
        let reason = reason.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        let (color, plain) = if self.stderr { (RED, PLAIN) } else { ("", "") };
        let _ = writeln!(io::stderr(), "southbridge: {color}error:{plain} {reason}");
    }
}
