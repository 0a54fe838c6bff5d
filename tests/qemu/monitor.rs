//! QEMU's monitor, in QMP.

use std::io::{self, ErrorKind};

use serde_json::{Value, json};

use super::wire::Wire;

/// A connection to the monitor, ready for commands.
pub(crate) struct Monitor {
    wire: Wire,
    /// QEMU's version: major and minor.
    pub(crate) version: [u64; 2],
}

impl Monitor {
    /// Exchanges greetings.
    pub(crate) fn new(mut wire: Wire) -> io::Result<Self> {
        let greeting = receive(&mut wire)?;
        let version = &greeting["QMP"]["version"]["qemu"];
        let version = ["major", "minor"].map(|part| version[part].as_u64().unwrap_or_default());
        let mut monitor = Self { wire, version };
        monitor.execute("qmp_capabilities", &json!({}))?;
        Ok(monitor)
    }

    /// Executes a command and returns its result. An error of the command's is
    /// an error of the connection: the tests ask for nothing that QEMU has not.
    pub(crate) fn execute(&mut self, command: &str, arguments: &Value) -> io::Result<Value> {
        self.wire.send(&json!({ "execute": command, "arguments": arguments }).to_string())?;
        loop {
            // Events come at any time.
            let mut message = receive(&mut self.wire)?;
            if let Some(error) = message.get("error") {
                return Err(io::Error::other(format!("{command}: {error}")));
            }
            if let Some(result) = message.get_mut("return") {
                return Ok(result.take());
            }
        }
    }

    /// The state of the machine (`RunState`).
    pub(crate) fn status(&mut self) -> io::Result<String> {
        let status = self.execute("query-status", &json!({}))?;
        Ok(status["status"].as_str().unwrap_or_default().to_owned())
    }
}

fn receive(wire: &mut Wire) -> io::Result<Value> {
    let line = wire.receive()?;
    serde_json::from_str(&line).map_err(|error| {
        io::Error::new(ErrorKind::InvalidData, format!("{line:?} is not JSON: {error}"))
    })
}
