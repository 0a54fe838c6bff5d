//! The socket's file: made without taking anybody else's place, and removed
//! only while it is still the same one.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::net::{AddressFamily, Shutdown, SocketAddrUnix, SocketFlags, SocketType};

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
    path: PathBuf,
    /// Device and inode of the file.
    identity: (u64, u64),
}

impl Socket {
    /// Listens at a path, which only this user can connect to. The socket of a
    /// process that has ended is replaced.
    pub(super) fn listen(path: &Path) -> Result<Self, SocketError> {
        let address = address(path)?;
        make_room(path, &address)?;
        let refused = |reason: Errno| refused(path, reason.into());
        let socket = socket(SocketFlags::CLOEXEC).map_err(refused)?;
        // Linux gives the file the mode that the socket has when it is bound, so
        // there is no moment in which others can connect.
        rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR).map_err(refused)?;
        rustix::net::bind(&socket, &address).map_err(refused)?;
        let metadata = fs::symlink_metadata(path).map_err(|error| self::refused(path, error))?;
        let identity = (metadata.dev(), metadata.ino());
        let listener = UnixListener::from(socket);
        let socket = Self { listener, path: path.into(), identity };
        rustix::net::listen(&socket.listener, BACKLOG).map_err(refused)?;
        Ok(socket)
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
        let same = |metadata: fs::Metadata| (metadata.dev(), metadata.ino()) == self.identity;
        if fs::symlink_metadata(&self.path).is_ok_and(same)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove the socket");
        }
    }
}

/// Removes the socket of a process that has ended; refuses any other file.
fn make_room(path: &Path, address: &SocketAddrUnix) -> Result<(), SocketError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(refused(path, error)),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(SocketError::NotASocket(path.into()));
        }
        Ok(_) => {}
    }
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let probe = socket(flags).map_err(|reason| refused(path, reason.into()))?;
    match rustix::net::connect(&probe, address) {
        // EAGAIN: somebody listens and has much to do.
        Ok(()) | Err(Errno::AGAIN) => Err(SocketError::InUse(path.into())),
        Err(Errno::CONNREFUSED) => fs::remove_file(path).map_err(|error| refused(path, error)),
        Err(Errno::NOENT) => Ok(()),
        Err(reason) => Err(refused(path, reason.into())),
    }
}

fn socket(flags: SocketFlags) -> Result<rustix::fd::OwnedFd, Errno> {
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}

fn address(path: &Path) -> Result<SocketAddrUnix, SocketError> {
    SocketAddrUnix::new(path).map_err(|reason| match reason {
        Errno::NAMETOOLONG => SocketError::TooLong(path.into()),
        reason => refused(path, reason.into()),
    })
}

fn refused(path: &Path, reason: io::Error) -> SocketError {
    SocketError::Refused { path: path.into(), reason }
}
