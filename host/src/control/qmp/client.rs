//! The other end: asks a running guest.

use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::json::Reader;
use super::{Done, Error, NoArguments};

/// How long an answer may take: a swap compiles a component first.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no such socket.
    #[error(
        "{}: no control socket there; start the guest with --control {}", .0.display(), .0.display()
    )]
    NoSocket(PathBuf),
    /// The process behind the socket has ended.
    #[error("{}: nobody answers: the guest has ended", .0.display())]
    NobodyThere(PathBuf),
    /// The connection failed.
    #[error("{}: {reason}", .path.display())]
    Connection {
        /// The socket.
        path: PathBuf,
        /// The system's reason.
        reason: io::Error,
    },
    /// Nothing came for too long.
    #[error("{}: no answer within {} s", .0.display(), PATIENCE.as_secs())]
    Silent(PathBuf),
    /// The connection ended before the answer.
    #[error("{}: the guest ended before it answered", .0.display())]
    Ended(PathBuf),
    /// What arrived is not QMP.
    #[error("{}: not an answer of a control socket: {reason}", .path.display())]
    Malformed {
        /// The socket.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The command was refused; the reason is the guest's.
    #[error("{0}")]
    Refused(Error),
}

/// A connection to a control socket, or to any other QMP server at a Unix socket.
pub struct Client {
    path: PathBuf,
    stream: UnixStream,
    reader: Reader,
    received: VecDeque<Value>,
}

impl Client {
    /// Connects to a control socket and negotiates no capabilities.
    ///
    /// # Errors
    /// There is no socket, nobody listens, what answers is no QMP server, or the
    /// system refuses.
    pub fn connect(path: &Path) -> Result<Self, ClientError> {
        let failed = |reason: io::Error| match reason.kind() {
            io::ErrorKind::NotFound => ClientError::NoSocket(path.into()),
            io::ErrorKind::ConnectionRefused => ClientError::NobodyThere(path.into()),
            _ => ClientError::Connection { path: path.into(), reason },
        };
        let stream = UnixStream::connect(path).map_err(failed)?;
        let (reader, received) = (Reader::new(), VecDeque::new());
        let mut client = Self { path: path.into(), stream, reader, received };
        let greeting = client.receive(Instant::now() + PATIENCE)?;
        if greeting.get("QMP").is_none() {
            return Err(client.malformed(&"no greeting"));
        }
        client.execute::<_, Done>("qmp_capabilities", &NoArguments {})?;
        Ok(client)
    }

    /// Has a command executed and returns what it returns. Events meanwhile are
    /// passed over.
    ///
    /// # Errors
    /// The guest refuses the command, or goes away, or what it says is no answer.
    pub fn execute<A: Serialize, R: DeserializeOwned>(
        &mut self,
        command: &str,
        arguments: &A,
    ) -> Result<R, ClientError> {
        let end = Instant::now() + PATIENCE;
        let request = json!({"execute": command, "arguments": arguments});
        let text = format!("{request}\n");
        // If the guest closes the connection it may have said why.
        let sent = self
            .stream
            .set_write_timeout(Some(PATIENCE))
            .and_then(|()| self.stream.write_all(text.as_bytes()));
        loop {
            let mut value = match (self.receive(end), &sent) {
                (Ok(value), _) => value,
                (Err(_), Err(error)) => return Err(self.failed(error.kind().into())),
                (Err(error), Ok(())) => return Err(error),
            };
            if let Some(answer) = value.get_mut("return") {
                let read = serde_json::from_value(answer.take());
                return read.map_err(|error| self.malformed(&error));
            }
            if let Some(error) = value.get_mut("error") {
                let read = serde_json::from_value(error.take());
                let error: Error = read.map_err(|error| self.malformed(&error))?;
                return Err(ClientError::Refused(error));
            }
            if value.get("event").is_none() {
                return Err(self.malformed(&"neither an answer nor an event"));
            }
        }
    }

    /// The next object that is sent.
    fn receive(&mut self, end: Instant) -> Result<Value, ClientError> {
        let mut chunk = [0; 4096];
        loop {
            if let Some(value) = self.received.pop_front() {
                return Ok(value);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ClientError::Silent(self.path.clone()));
            }
            let read = self
                .stream
                .set_read_timeout(Some(left))
                .and_then(|()| self.stream.read(&mut chunk));
            let count = match read {
                Ok(0) => return Err(ClientError::Ended(self.path.clone())),
                Ok(count) => count,
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted
                    | io::ErrorKind::WouldBlock
                    | io::ErrorKind::TimedOut => continue,
                    _ => return Err(self.failed(error)),
                },
            };
            let mut bytes = &chunk[..count];
            while let Some(value) = self.reader.next(&mut bytes) {
                self.received.push_back(value.map_err(|error| self.malformed(&error))?);
            }
        }
    }

    fn failed(&self, reason: io::Error) -> ClientError {
        ClientError::Connection { path: self.path.clone(), reason }
    }

    fn malformed(&self, reason: &dyn std::fmt::Display) -> ClientError {
        ClientError::Malformed { path: self.path.clone(), reason: reason.to_string() }
    }
}
