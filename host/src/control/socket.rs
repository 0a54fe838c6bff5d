//! The socket that others find a running guest at.

use std::io;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::net::{Shutdown, SocketFlags};

use crate::chardev::{Place, Problem, unix_socket};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 16;

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// A process listens there.
    #[error("socket {}: in use by another process; choose another path", .0.display())]
    InUse(PathBuf),
    /// The path is that of another file.
    #[error("socket {}: exists and is not a socket; choose another path", .0.display())]
    NotASocket(PathBuf),
    /// The path does not fit into a socket's address.
    #[error("socket {}: the path is too long, at most 107 bytes expected", .0.display())]
    TooLong(PathBuf),
    /// The system refuses.
    #[error("socket {}: {reason}", .path.display())]
    Refused {
        /// The path.
        path: PathBuf,
        /// The system's reason.
        reason: io::Error,
    },
}

/// A listening socket that disappears with this value.
pub(super) struct Socket {
    listener: UnixListener,
    _place: Place,
}

impl Socket {
    /// Listens at a path, which only this user can connect to. The socket of a
    /// process that has ended is replaced.
    pub(super) fn listen(path: &Path) -> Result<Self, SocketError> {
        let refused = |reason: Errno| refused(path, reason.into());
        let socket = unix_socket(SocketFlags::CLOEXEC).map_err(refused)?;
        // Linux gives the file the mode that the socket has when it is bound, so
        // there is no moment in which others can connect.
        rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR).map_err(refused)?;
        let place = Place::take(&socket, path).map_err(|problem| not_taken(path, problem))?;
        rustix::net::listen(&socket, BACKLOG).map_err(refused)?;
        Ok(Self { listener: UnixListener::from(socket), _place: place })
    }

    /// The listener, for the thread that accepts.
    pub(super) fn listener(&self) -> io::Result<UnixListener> {
        self.listener.try_clone()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Ends an `accept` that another thread waits in.
        let _ = rustix::net::shutdown(&self.listener, Shutdown::Both);
    }
}

fn not_taken(path: &Path, problem: Problem) -> SocketError {
    match problem {
        Problem::SocketInUse(path) => SocketError::InUse(path),
        Problem::NotASocket(path) => SocketError::NotASocket(path),
        Problem::PathLength(path) => SocketError::TooLong(path),
        Problem::Listen { reason, .. } => refused(path, reason),
        other => refused(path, io::Error::other(other)),
    }
}

fn refused(path: &Path, reason: io::Error) -> SocketError {
    SocketError::Refused { path: path.into(), reason }
}
