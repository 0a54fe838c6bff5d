//! A conversation with a person at a terminal: QEMU's monitor for people.

use std::io::{self, Read, Write};
use std::sync::Arc;

use super::core::Core;
use super::json::Style;
use super::line::Line;
use super::monitor::NamedFds;
use super::session::Session;
use super::{Call, QEMU_VERSION, Turn};
use crate::component::Engine;

const PROMPT: &[u8] = b"(qemu) ";

/// A machine's monitor for one person. Its commands are those of
/// `human-monitor-command`.
pub struct PersonMonitor {
    core: Arc<Core>,
    session: Session,
    names: NamedFds,
    line: Line,
    greeted: bool,
}

impl PersonMonitor {
    pub(super) fn new(core: Arc<Core>) -> Self {
        // Nobody negotiates, so no event is sent.
        let session = Session::new(Style::Line, Box::new(io::sink()));
        let (names, line) = (NamedFds::default(), Line::default());
        Self { core, session, names, line, greeted: false }
    }

    /// Says who is there, the first time, and that a command can be typed. What was typed
    /// before is forgotten.
    ///
    /// # Errors
    /// The output fails.
    pub fn begin(&mut self, output: &mut impl Write) -> io::Result<()> {
        self.line.clear();
        if !std::mem::replace(&mut self.greeted, true) {
            let (major, minor, micro) = QEMU_VERSION;
            let what = "monitor - type 'help' for more information";
            write!(output, "QEMU {major}.{minor}.{micro} {what}\r\n")?;
        }
        output.write_all(PROMPT)
    }

    /// Takes what was typed: shows it, executes whole lines, and prints what comes of
    /// them.
    ///
    /// # Errors
    /// The output fails.
    pub fn receive(&mut self, typed: &[u8], output: &mut impl Write) -> io::Result<()> {
        for &byte in typed {
            let mut echo = Vec::new();
            let line = self.line.take(byte, &mut echo);
            output.write_all(&echo)?;
            if let Some(line) = line {
                output.write_all(self.execute(&line).as_bytes())?;
                // What ends the program is the last.
                if !matches!(line.split_whitespace().next(), Some("q" | "quit")) {
                    output.write_all(PROMPT)?;
                }
            }
        }
        Ok(())
    }

    /// Serves a person until the input ends.
    ///
    /// # Errors
    /// The input or the output fails.
    pub fn serve(&mut self, mut input: impl Read, mut output: impl Write) -> io::Result<()> {
        self.greeted = false;
        self.begin(&mut output)?;
        let mut buffer = [0; 256];
        loop {
            match input.read(&mut buffer)? {
                0 => return Ok(()),
                count => self.receive(&buffer[..count], &mut output)?,
            }
        }
    }

    fn execute(&self, line: &str) -> String {
        Engine::prepare_thread();
        let call = Call::new(&self.core, &self.session, &self.names, None);
        let _turn = Turn::take(&self.core);
        self.core.hmp.execute(&call, line)
    }
}
