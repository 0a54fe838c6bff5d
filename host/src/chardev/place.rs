//! A socket's place in the file system: taken without taking anybody else's, and
//! given back only while it is still the same one.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf, absolute};

use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::error::Problem;

/// The longest path of a socket, in bytes (unix(7): `sun_path` with its end).
pub(crate) const LONGEST_PATH: usize = 107;

/// The file of a socket, removed with this value.
pub(crate) struct Place {
    /// Whatever directory the process will be in.
    path: PathBuf,
    /// Device and inode of the file.
    identity: (u64, u64),
}

impl Place {
    /// Binds a socket to a path. The file of a process that has ended is
    /// replaced; one that a process listens at, and what is not a socket, is not.
    pub(crate) fn take(socket: &OwnedFd, path: &Path) -> Result<Self, Problem> {
        let address = address(path)?;
        make_room(path, &address)?;
        let refused = |reason: io::Error| Problem::listen(path, reason);
        rustix::net::bind(socket, &address).map_err(|reason| refused(reason.into()))?;
        let metadata = fs::symlink_metadata(path).map_err(refused)?;
        let identity = (metadata.dev(), metadata.ino());
        Ok(Self { path: absolute(path).map_err(refused)?, identity })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let same = |metadata: fs::Metadata| (metadata.dev(), metadata.ino()) == self.identity;
        if fs::symlink_metadata(&self.path).is_ok_and(same)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove the socket");
        }
    }
}

/// The address of a path.
pub(super) fn address(path: &Path) -> Result<SocketAddrUnix, Problem> {
    if !(1..=LONGEST_PATH).contains(&path.as_os_str().len()) {
        return Err(Problem::PathLength(path.into()));
    }
    SocketAddrUnix::new(path).map_err(|reason| Problem::listen(path, reason))
}

/// A new socket of the kind.
pub(crate) fn unix_socket(flags: SocketFlags) -> Result<OwnedFd, Errno> {
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}

/// Removes the socket of a process that has ended; refuses any other file.
fn make_room(path: &Path, address: &SocketAddrUnix) -> Result<(), Problem> {
    let refused = |reason: io::Error| Problem::listen(path, reason);
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(refused(error)),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(Problem::NotASocket(path.into()));
        }
        Ok(_) => {}
    }
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let probe = unix_socket(flags).map_err(|reason| refused(reason.into()))?;
    match rustix::net::connect(&probe, address) {
        // EAGAIN: somebody listens and has much to do.
        Ok(()) | Err(Errno::AGAIN) => Err(Problem::SocketInUse(path.into())),
        Err(Errno::CONNREFUSED) => fs::remove_file(path).map_err(refused),
        Err(Errno::NOENT) => Ok(()),
        Err(reason) => Err(refused(reason.into())),
    }
}
