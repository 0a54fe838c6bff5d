//! A QMP client that sends what it is told to, and fails the test if the machine
//! stays silent.

#![allow(dead_code, reason = "each test uses a part")]

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vmm_sys_util::sock_ctrl_msg::ScmSocket as _;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to a machine.
pub(crate) struct Peer(BufReader<UnixStream>);

impl Peer {
    /// Connects, and waits for a place if the machine is busy.
    pub(crate) fn connect(path: &Path) -> Self {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match UnixStream::connect(path) {
                Ok(stream) => return Self::new(stream),
                Err(error) => {
                    let busy = error.kind() == ErrorKind::WouldBlock;
                    assert!(busy && Instant::now() < deadline, "{}: {error}", path.display());
                    std::thread::yield_now();
                }
            }
        }
    }

    pub(crate) fn new(stream: UnixStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("it is a socket");
        Self(BufReader::new(stream))
    }

    /// Connects, is greeted and negotiates nothing.
    pub(crate) fn negotiated(path: &Path) -> Self {
        let mut peer = Self::connect(path);
        peer.receive();
        assert_eq!(peer.execute("qmp_capabilities"), json!({}));
        peer
    }

    pub(crate) fn stream(&self) -> &UnixStream {
        self.0.get_ref()
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).expect("the machine receives");
    }

    /// Sends bytes and, with them, descriptors.
    pub(crate) fn send_fds(&mut self, bytes: &[u8], fds: &[OwnedFd]) {
        let fds: Vec<RawFd> = fds.iter().map(|fd| fd.as_raw_fd()).collect();
        self.0.get_ref().send_with_fds(&[bytes], &fds).expect("the machine receives");
    }

    /// The next object that is sent.
    pub(crate) fn receive(&mut self) -> Value {
        let mut line = String::new();
        assert_ne!(self.0.read_line(&mut line).expect("the machine sends"), 0, "it closed");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    /// Sends bytes, and the next object that comes.
    pub(crate) fn ask(&mut self, bytes: &str) -> Value {
        self.send(bytes.as_bytes());
        self.receive()
    }

    /// The events up to the next answer, and that answer.
    pub(crate) fn events_and_answer(&mut self) -> (Vec<Value>, Value) {
        let mut events = Vec::new();
        loop {
            let value = self.receive();
            match value.get("event") {
                Some(_) => events.push(value),
                None => return (events, value),
            }
        }
    }

    /// The names of the events up to the next answer, and that answer.
    pub(crate) fn answer(&mut self) -> (Vec<String>, Value) {
        let (events, answer) = self.events_and_answer();
        let name = |event: &Value| event["event"].as_str().map(str::to_owned);
        (events.iter().filter_map(name).collect(), answer)
    }

    /// Has a command executed without arguments, which must succeed.
    pub(crate) fn execute(&mut self, command: &str) -> Value {
        self.execute_with(command, json!({}))
    }

    /// Has a command executed, which must succeed.
    pub(crate) fn execute_with(&mut self, command: &str, arguments: Value) -> Value {
        let answer = self.try_execute(command, arguments);
        assert!(answer.get("return").is_some(), "{command}: {answer}");
        answer["return"].clone()
    }

    /// Has a command executed; the whole answer.
    pub(crate) fn try_execute(&mut self, command: &str, arguments: Value) -> Value {
        let request = json!({"execute": command, "arguments": arguments});
        self.send(format!("{request}\n").as_bytes());
        self.answer().1
    }

    /// Whether the machine has closed the connection. Waits for that.
    pub(crate) fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => rest.is_empty(),
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }
}
