//! The real QEMU, with a machine that stays paused.

use std::io::{self, ErrorKind};
use std::time::Instant;

use serde_json::json;

use super::machines::is_xen;
use super::monitor::Monitor;
use super::ports::Ports;
use super::process::{Process, pause};
use super::wire::{PATIENCE, Wire};

/// What the tests know the answers of: Debian 12 has it.
const VERSION: [u64; 2] = [7, 2];

/// A running QEMU.
pub(crate) struct Qemu {
    machine: String,
    process: Process,
    /// Takes accesses to the machine's devices, as from a processor.
    qtest: Wire,
    monitor: Monitor,
}

/// Why QEMU did not start with a state.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Its exit status; none if a signal ended it.
    pub(crate) status: Option<i32>,
    /// What it wrote to standard error.
    pub(crate) said: String,
}

impl Qemu {
    /// A machine just switched on, without QEMU's default devices but for the
    /// first serial port.
    pub(crate) fn new(machine: &str) -> Self {
        Self::start(machine, None, &[]).unwrap_or_else(|Refused { status, said }| {
            panic!("QEMU does not start {machine}: exit status {status:?}, {said:?}")
        })
    }

    /// The same machine with a state in it. `devices` are arguments for what
    /// else is in the state: QEMU takes none of a device it has not.
    pub(crate) fn load(machine: &str, state: &[u8], devices: &[&str]) -> Result<Self, Refused> {
        Self::start(machine, Some(state), devices)
    }

    /// The same machine, to which a state will come from elsewhere: returns when it is
    /// there.
    pub(crate) fn receive(machine: &str, uri: &str) -> Result<Self, Refused> {
        Self::start(machine, None, &["-incoming", uri])
    }

    /// Has QEMU save the whole machine to a URI, and waits until it has.
    pub(crate) fn send(&mut self, uri: &str) {
        self.execute("migrate", &json!({ "uri": uri }));
        let deadline = Instant::now() + PATIENCE;
        loop {
            let migration = self.execute("query-migrate", &json!({}));
            match migration["status"].as_str() {
                Some("completed") => return,
                Some("setup" | "active" | "device") if Instant::now() < deadline => pause(),
                _ => self.process.fail(&format!("migrate: {migration}")),
            }
        }
    }

    /// What the machine does (`RunStateName`).
    pub(crate) fn status(&mut self) -> String {
        let status = self.monitor.status();
        status.unwrap_or_else(|error| self.process.fail(&error.to_string()))
    }

    fn start(machine: &str, incoming: Option<&[u8]>, devices: &[&str]) -> Result<Self, Refused> {
        let mut process = Process::start(machine, incoming, devices);
        match Self::meet(&mut process) {
            Ok((qtest, monitor)) => Ok(Self { machine: machine.into(), process, qtest, monitor }),
            Err(error) if is_gone(&error) => {
                let (status, said) = process.end();
                Err(Refused { status, said })
            }
            Err(error) => process.fail(&error.to_string()),
        }
    }

    fn meet(process: &mut Process) -> io::Result<(Wire, Monitor)> {
        let mut connect = |socket| process.connect(socket).ok_or(ErrorKind::NotConnected);
        let (qtest, monitor) = (connect("qtest")?, connect("monitor")?);
        let mut monitor = Monitor::new(monitor)?;
        if monitor.version != VERSION {
            let [major, minor] = monitor.version;
            process
                .fail(&format!("it is version {major}.{minor}, 7.2 expected (Debian 12 has it)"));
        }
        let deadline = Instant::now() + PATIENCE;
        while monitor.status()? == "inmigrate" {
            if Instant::now() > deadline {
                process.fail("no state comes");
            }
            pause();
        }
        Ok((qtest, monitor))
    }

    /// The state of all devices, as QEMU's user gets it: by `migrate`, and under
    /// Xen by `xen-save-devices-state`.
    pub(crate) fn save(&mut self) -> Vec<u8> {
        let file = self.process.path("saved");
        if is_xen(&self.machine) {
            self.execute("xen-save-devices-state", &json!({ "filename": file }));
        } else {
            // QEMU says it is done when it has written all, cat may be later.
            let part = self.process.path("part");
            let target =
                format!("exec:cat >'{0}' && mv '{0}' '{1}'", part.display(), file.display());
            self.execute("migrate", &json!({ "uri": target }));
            let deadline = Instant::now() + PATIENCE;
            while !file.exists() {
                if Instant::now() > deadline {
                    let migration = self.execute("query-migrate", &json!({}));
                    self.process.fail(&format!("migrate: {migration}"));
                }
                pause();
            }
        }
        std::fs::read(file).expect("QEMU has written the file")
    }

    fn execute(&mut self, command: &str, arguments: &serde_json::Value) -> serde_json::Value {
        let result = self.monitor.execute(command, arguments);
        result.unwrap_or_else(|error| self.process.fail(&format!("{command}: {error}")))
    }

    /// Asks qtest, and returns what follows the `OK`.
    pub(crate) fn ask(&mut self, request: &str) -> String {
        let reply = self.qtest.send(request).and_then(|()| self.qtest.receive());
        match reply.as_deref().map(|reply| reply.strip_prefix("OK")) {
            Ok(Some(value)) => value.trim().to_owned(),
            _ => self.process.fail(&format!("{request}: {reply:?}")),
        }
    }
}

impl Ports for Qemu {
    fn read(&mut self, port: u16, size: u8) -> u64 {
        let reply = self.ask(&format!("in{} {port:#x}", letter(size)));
        let digits = reply.strip_prefix("0x").unwrap_or(&reply);
        u64::from_str_radix(digits, 16).unwrap_or_else(|_| self.process.fail(&reply))
    }

    fn write(&mut self, port: u16, size: u8, value: u64) {
        self.ask(&format!("out{} {port:#x} {value:#x}", letter(size)));
    }
}

/// Whether the other end is not there any more.
fn is_gone(error: &io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionReset, NotConnected, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionReset | NotConnected | UnexpectedEof)
}

/// What qtest calls accesses of this size.
fn letter(size: u8) -> char {
    match size {
        1 => 'b',
        2 => 'w',
        4 => 'l',
        _ => panic!("ports are accessed by 1, 2 or 4 bytes, not {size}"),
    }
}
