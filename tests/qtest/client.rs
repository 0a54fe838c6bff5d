//! A client that fails the test if the machine stays silent.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use southbridge::control::qtest::{Qtest, QtestServer};
use tempfile::TempDir;

use crate::common::driven;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A machine as the recorder ran it. Nobody does what devices ask of its power.
pub(crate) fn machine(machine_type: &str) -> Arc<Qtest> {
    driven::qtest(machine_type, Arc::new(|_| {}))
}

/// A machine that clients can connect to.
pub(crate) struct Listening {
    pub(crate) directory: TempDir,
    server: QtestServer,
}

impl Listening {
    pub(crate) fn new(qtest: Arc<Qtest>) -> Self {
        let directory = tempfile::tempdir().expect("there is room for a directory");
        let server = QtestServer::start(&directory.path().join("qtest"), qtest);
        Self { directory, server: server.expect("the socket is free") }
    }

    /// Ends the server; the directory is left.
    pub(crate) fn stop(self) -> TempDir {
        drop(self.server);
        self.directory
    }

    pub(crate) fn connect(&self) -> Client {
        Client::connect(&self.directory.path().join("qtest"))
    }
}

/// A connection to a machine.
pub(crate) struct Client {
    pub(crate) stream: UnixStream,
    replies: BufReader<UnixStream>,
}

impl Client {
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
        let replies = BufReader::new(stream.try_clone().expect("there are descriptors"));
        Self { stream, replies }
    }

    /// Sends bytes as they are.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the machine receives");
    }

    /// The next line, without its end.
    pub(crate) fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.replies.read_until(b'\n', &mut line).expect("the machine answers");
        assert_eq!(line.pop(), Some(b'\n'), "the connection ends");
        String::from_utf8_lossy(&line).into_owned()
    }

    /// Whether the machine has closed the connection. Waits for that.
    pub(crate) fn has_ended(&mut self) -> bool {
        matches!(self.replies.read(&mut [0]), Ok(0))
    }

    /// Sends a request; the interrupts it causes and its reply.
    pub(crate) fn exchange(&mut self, request: &str) -> (Vec<String>, String) {
        self.send(format!("{request}\n").as_bytes());
        self.reply()
    }

    /// The interrupts up to the next reply, and that.
    pub(crate) fn reply(&mut self) -> (Vec<String>, String) {
        let mut interrupts = Vec::new();
        loop {
            let line = self.line();
            match line.starts_with("IRQ ") {
                true => interrupts.push(line),
                false => return (interrupts, line),
            }
        }
    }

    /// The reply to a request that causes no interrupt.
    pub(crate) fn ask(&mut self, request: &str) -> String {
        let (interrupts, reply) = self.exchange(request);
        assert_eq!(interrupts, [""; 0], "{request}");
        reply
    }
}
