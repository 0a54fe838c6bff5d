//! A machine that is driven by qtest and watched by QMP, whoever runs it.

use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::board::Board;
use super::program::{Files, PATIENCE, Process, Program, Start};
use crate::common::qmp_peer::Peer;

/// Where its drives' images are.
pub(crate) enum Life {
    /// A process of its own.
    Process(Process),
    /// This process.
    Board(Board),
}

/// A machine, and connections to it.
pub(crate) struct Machine {
    qtest: BufReader<UnixStream>,
    monitor: Peer,
    pub(crate) life: Life,
}

impl Machine {
    /// Starts a program with qtest and QMP.
    pub(crate) fn start(program: Program, files: &Files, arguments: &[&str]) -> Self {
        Self::of(Start::new(program, files, arguments))
    }

    /// Starts a program; qtest and QMP are added.
    pub(crate) fn of(mut start: Start<'_>) -> Self {
        let files = start.files;
        // The program's own name, or two in one directory would share a socket.
        let [qtest, monitor] = ["qtest", "qmp"].map(|name| format!("{name}-{:?}", start.program));
        for (option, socket) in [("-qtest", &qtest), ("-qmp", &monitor)] {
            // An earlier one may have been killed.
            let _ = std::fs::remove_file(files.path(socket));
            start.arguments.push(option.into());
            start.arguments.push(format!("unix:{socket},server=on,wait=off"));
        }
        start.arguments.extend(["-bios".into(), "bios".into()]);
        let mut process = start.start();
        let qtest = connect(&files.path(&qtest), &mut process);
        connect(&files.path(&monitor), &mut process);
        let monitor = Peer::negotiated(&files.path(&monitor));
        Self::new(qtest, monitor, Life::Process(process))
    }

    pub(crate) fn new(qtest: UnixStream, monitor: Peer, life: Life) -> Self {
        qtest.set_read_timeout(Some(PATIENCE)).expect("it is a socket");
        Self { qtest: BufReader::new(qtest), monitor, life }
    }

    /// The process that it is.
    pub(crate) fn process(&mut self) -> &mut Process {
        match &mut self.life {
            Life::Process(process) => process,
            Life::Board(_) => panic!("it is no process of its own"),
        }
    }

    /// The answer to a request of qtest's; none if the machine ends before.
    pub(crate) fn try_ask(&mut self, request: &str) -> Option<String> {
        self.qtest.get_mut().write_all(format!("{request}\n").as_bytes()).ok()?;
        loop {
            let mut line = String::new();
            self.qtest.read_line(&mut line).ok()?;
            let line = line.strip_suffix('\n')?;
            if !line.starts_with("IRQ ") {
                return Some(line.to_owned());
            }
        }
    }

    /// The answer to a request of qtest's, without the `OK` it begins with.
    #[track_caller]
    pub(crate) fn ask(&mut self, request: &str) -> String {
        let answer = self.try_ask(request);
        let answer = answer.unwrap_or_else(|| panic!("{request}: the machine has ended"));
        let rest = answer.strip_prefix("OK").unwrap_or_else(|| panic!("{request}: {answer}"));
        rest.trim_start().to_owned()
    }

    fn number(&mut self, request: &str) -> u32 {
        let answer = self.ask(request);
        let digits = answer.strip_prefix("0x").expect("numbers are hexadecimal");
        u32::from_str_radix(digits, 16).expect("numbers fit")
    }

    pub(crate) fn in8(&mut self, port: u16) -> u8 {
        self.number(&format!("inb {port:#x}")) as u8
    }

    pub(crate) fn in16(&mut self, port: u16) -> u16 {
        self.number(&format!("inw {port:#x}")) as u16
    }

    pub(crate) fn in32(&mut self, port: u16) -> u32 {
        self.number(&format!("inl {port:#x}"))
    }

    pub(crate) fn out8(&mut self, port: u16, value: u8) {
        self.ask(&format!("outb {port:#x} {value:#x}"));
    }

    pub(crate) fn out16(&mut self, port: u16, value: u16) {
        self.ask(&format!("outw {port:#x} {value:#x}"));
    }

    pub(crate) fn out32(&mut self, port: u16, value: u32) {
        self.ask(&format!("outl {port:#x} {value:#x}"));
    }

    /// Bytes of memory, as hexadecimal digits.
    pub(crate) fn memory(&mut self, address: u64, length: usize) -> String {
        self.ask(&format!("read {address:#x} {length}"))
    }

    pub(crate) fn write(&mut self, address: u64, bytes: &[u8]) {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.ask(&format!("write {address:#x} {} 0x{digits}", bytes.len()));
    }

    /// Has a QMP command executed, which must succeed: the events up to its end, in
    /// as much as machines can be compared by them.
    pub(crate) fn events_until(&mut self, command: &str) -> (Vec<Value>, Value) {
        self.monitor.send(json!({"execute": command}).to_string().as_bytes());
        let (mut events, answer) = self.monitor.events_and_answer();
        for event in &mut events {
            let members = event.as_object_mut().expect("an event is an object");
            members.remove("timestamp");
            if let Some(data) = members.get_mut("data").and_then(Value::as_object_mut) {
                // QEMU makes these up.
                data.remove("node-name");
            }
        }
        assert!(answer.get("return").is_some(), "{command}: {answer}");
        (events, answer["return"].clone())
    }

    /// Waits until the machine is in a state: the events up to then.
    pub(crate) fn events_until_it_is(&mut self, state: &str) -> Vec<Value> {
        let deadline = Instant::now() + PATIENCE;
        let mut all = Vec::new();
        loop {
            let (events, status) = self.events_until("query-status");
            all.extend(events);
            if status["status"] == state {
                return all;
            }
            assert!(Instant::now() < deadline, "not {state}, but {status}; events: {all:?}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn connect(path: &Path, process: &mut Process) -> UnixStream {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match UnixStream::connect(path) {
            Ok(stream) => return stream,
            Err(error) => {
                let goes_on = !process.has_ended() && Instant::now() < deadline;
                let absent = [ErrorKind::NotFound, ErrorKind::ConnectionRefused];
                let waits = goes_on && absent.contains(&error.kind());
                assert!(waits, "{}: {error}: {}", path.display(), process.complaint());
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}
