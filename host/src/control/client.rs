//! The other end: asks a running guest.

use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::line::{LineError, Lines, Patience};
use super::protocol::{Answer, Command, Reply};

/// A swap compiles a component before it answers.
const PATIENCE: Patience = Patience {
    longest: 1 << 20,
    before: Some(Duration::from_secs(60)),
    within: Duration::from_secs(10),
};

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
    /// The connection ended before the answer.
    #[error("{}: the guest ended before it answered", .0.display())]
    Ended(PathBuf),
    /// What arrived is no answer.
    #[error("{}: not an answer of a control socket: {reason}", .path.display())]
    Malformed {
        /// The socket.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The command was refused; the reason is the guest's.
    #[error("{0}")]
    Refused(String),
}

/// A connection to a control socket.
pub struct Client {
    path: PathBuf,
    stream: UnixStream,
    lines: Lines,
}

impl Client {
    /// Connects to a control socket.
    ///
    /// # Errors
    /// There is no socket, nobody listens, or the system refuses.
    pub fn connect(path: &Path) -> Result<Self, ClientError> {
        let failed = |reason: io::Error| match reason.kind() {
            io::ErrorKind::NotFound => ClientError::NoSocket(path.into()),
            io::ErrorKind::ConnectionRefused => ClientError::NobodyThere(path.into()),
            _ => ClientError::Connection { path: path.into(), reason },
        };
        let stream = UnixStream::connect(path).map_err(failed)?;
        let lines = Lines::new(stream.try_clone().map_err(failed)?, PATIENCE);
        Ok(Self { path: path.into(), stream, lines })
    }

    /// Has a command executed and returns its answer, which is of the type that
    /// the command names.
    ///
    /// # Errors
    /// The guest refuses the command, or goes away, or what it says is no
    /// answer.
    pub fn execute<T: DeserializeOwned>(&mut self, command: &Command) -> Result<T, ClientError> {
        let malformed = |reason: &dyn std::fmt::Display| ClientError::Malformed {
            path: self.path.clone(),
            reason: reason.to_string(),
        };
        let mut line = serde_json::to_vec(command).map_err(|error| malformed(&error))?;
        line.push(b'\n');
        // If the guest closes the connection it may have said why.
        let sent = self.stream.write_all(&line);
        let line = match self.lines.next() {
            Ok(Some(line)) => line,
            Ok(None) => return Err(ClientError::Ended(self.path.clone())),
            Err(LineError::Io(reason)) => {
                let reason = sent.err().unwrap_or(reason);
                return Err(ClientError::Connection { path: self.path.clone(), reason });
            }
            Err(error) => return Err(malformed(&error)),
        };
        let reply: Reply = serde_json::from_slice(&line).map_err(|error| malformed(&error))?;
        match reply.answer {
            Answer::Return(value) => {
                serde_json::from_value(value).map_err(|error| malformed(&error))
            }
            Answer::Error(problem) => Err(ClientError::Refused(problem.desc)),
        }
    }
}
