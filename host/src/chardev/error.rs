//! Why there is no character device, or no use of it.

use std::io;
use std::path::{Path, PathBuf};

use super::place::LONGEST_PATH;

/// Why a character device cannot be opened or attached to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It has a front end. QEMU's words.
    #[error("Device '{0}' is in use")]
    InUse(String),
    /// It cannot be opened, or the thread that serves it not started.
    #[error("character device {id}: {problem}")]
    Device {
        /// Its name.
        id: String,
        /// What is wrong.
        problem: Problem,
    },
}

/// What is wrong with a character device.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// A process listens there.
    #[error("socket {}: in use by another process; choose another path", .0.display())]
    SocketInUse(PathBuf),
    /// The path is that of another file.
    #[error("{}: exists and is not a socket; choose another path", .0.display())]
    NotASocket(PathBuf),
    /// The path does not fit into a socket's address.
    #[error(
        "socket {}: the path is too long, 1 to {LONGEST_PATH} bytes expected", .0.display()
    )]
    PathLength(PathBuf),
    /// The system does not let this process listen there.
    #[error("cannot listen at {address}: {reason}")]
    Listen {
        /// Where.
        address: String,
        /// The system's reason.
        reason: io::Error,
    },
    /// There is no connection to a server.
    #[error("cannot connect to {address}: {reason}")]
    Connect {
        /// Where.
        address: String,
        /// The system's reason.
        reason: io::Error,
    },
    /// A file cannot be opened.
    #[error("cannot {what} {}: {reason}", .path.display())]
    File {
        /// For what: `read`, `write`, `open`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        reason: io::Error,
    },
    /// Another character device has standard input and output. QEMU's words.
    #[error("cannot use stdio by multiple character devices")]
    StdioInUse,
    /// What is given as a descriptor is of no use.
    #[error("file descriptor {number}: {reason}; {expected} expected")]
    Descriptor {
        /// The descriptor.
        number: i32,
        /// The system's reason.
        reason: io::Error,
        /// What it should be.
        expected: &'static str,
    },
    /// A descriptor cannot be connected again.
    #[error("reconnect: a connection that is a file descriptor cannot be made again")]
    ReconnectDescriptor,
    /// The system lacks something.
    #[error(transparent)]
    System(#[from] io::Error),
}

impl Problem {
    pub(super) fn of(self, id: &str) -> Error {
        Error::Device { id: id.into(), problem: self }
    }

    pub(super) fn listen(address: &Path, reason: impl Into<io::Error>) -> Self {
        Self::Listen { address: address.display().to_string(), reason: reason.into() }
    }

    pub(super) fn file(what: &'static str, path: &Path, reason: impl Into<io::Error>) -> Self {
        Self::File { what, path: path.into(), reason: reason.into() }
    }
}
