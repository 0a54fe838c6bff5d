//! Sockets to and from peers, none of which is waited for without end.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::addr::SocketAddrArg;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::Cancel;

/// How long a peer may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(120);

/// A socket that listens for one peer.
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixSocket),
}

/// A socket with a file, which disappears with it.
pub(super) struct UnixSocket {
    socket: OwnedFd,
    path: PathBuf,
    /// Device and inode of the file.
    identity: (u64, u64),
}

impl Listener {
    pub(super) fn tcp(host: &str, port: u16) -> io::Result<Self> {
        let addresses: Vec<_> = if host.is_empty() {
            // Where there is IPv6, its any address is that of IPv4, too.
            let any = [IpAddr::from(Ipv6Addr::UNSPECIFIED), Ipv4Addr::UNSPECIFIED.into()];
            any.map(|address| SocketAddr::new(address, port)).into()
        } else {
            (host, port).to_socket_addrs()?.collect()
        };
        let listener = TcpListener::bind(&addresses[..])?;
        listener.set_nonblocking(true)?;
        Ok(Self::Tcp(listener))
    }

    /// Listens at a path. The socket of a process that has ended is replaced.
    pub(super) fn unix(path: &Path) -> io::Result<Self> {
        let address = SocketAddrUnix::new(path)?;
        make_room(path, &address)?;
        let socket = unix_socket()?;
        rustix::net::bind(&socket, &address)?;
        let metadata = fs::symlink_metadata(path)?;
        let identity = (metadata.dev(), metadata.ino());
        let socket = UnixSocket { socket, path: path.into(), identity };
        rustix::net::listen(&socket.socket, 1)?;
        Ok(Self::Unix(socket))
    }

    /// Waits for the peer; as long as it takes, unless it is cancelled.
    pub(super) fn accept(self, cancel: &Cancel) -> io::Result<OwnedFd> {
        loop {
            cancel.wait(&self.fd(), PollFlags::IN, None)?;
            match rustix::net::accept_with(self.fd(), SocketFlags::CLOEXEC) {
                Ok(peer) => return Ok(peer),
                // It has gone again.
                Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(super) fn tcp_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix(_) => None,
        }
    }

    fn fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(listener) => listener.as_fd(),
            Self::Unix(socket) => socket.socket.as_fd(),
        }
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        let same = |metadata: fs::Metadata| (metadata.dev(), metadata.ino()) == self.identity;
        if fs::symlink_metadata(&self.path).is_ok_and(same)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove a migration socket");
        }
    }
}

/// Removes the socket of a process that has ended; refuses any other file.
fn make_room(path: &Path, address: &SocketAddrUnix) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(io::Error::new(ErrorKind::AlreadyExists, "exists and is not a socket"));
        }
        Ok(_) => {}
    }
    match rustix::net::connect(unix_socket()?, address) {
        // EAGAIN: somebody listens and has much to do.
        Ok(()) | Err(Errno::AGAIN) => {
            Err(io::Error::new(ErrorKind::AddrInUse, "another process listens there"))
        }
        Err(Errno::CONNREFUSED) => fs::remove_file(path),
        Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn unix_socket() -> io::Result<OwnedFd> {
    Ok(socket(AddressFamily::UNIX)?)
}

fn socket(family: AddressFamily) -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    rustix::net::socket_with(family, SocketType::STREAM, flags, None)
}

pub(super) fn connect_unix(path: &Path, cancel: &Cancel) -> io::Result<OwnedFd> {
    let address = SocketAddrUnix::new(path)?;
    connect(unix_socket()?, &address, cancel)
}

/// Connects to the first of a host's addresses that accepts. A name is looked up as
/// the host's resolver does; that alone cannot be cancelled.
pub(super) fn connect_tcp(host: &str, port: u16, cancel: &Cancel) -> io::Result<OwnedFd> {
    if host.is_empty() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "expected a host to connect to"));
    }
    let mut last = io::Error::new(ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        let family = match address {
            SocketAddr::V4(_) => AddressFamily::INET,
            SocketAddr::V6(_) => AddressFamily::INET6,
        };
        match socket(family).map_err(io::Error::from).and_then(|fd| connect(fd, &address, cancel)) {
            Ok(fd) => {
                // The last bytes are not to wait for company.
                let _ = rustix::net::sockopt::set_tcp_nodelay(&fd, true);
                return Ok(fd);
            }
            Err(error) => last = error,
        }
        cancel.check()?;
    }
    Err(last)
}

fn connect(fd: OwnedFd, address: &impl SocketAddrArg, cancel: &Cancel) -> io::Result<OwnedFd> {
    match rustix::net::connect(&fd, address) {
        Ok(()) => return Ok(fd),
        Err(Errno::INPROGRESS) => {}
        // A Unix socket whose queue is full: there is nothing to wait for.
        Err(error) => return Err(error.into()),
    }
    cancel.wait(&fd, PollFlags::OUT, Some(CONNECT))?;
    rustix::net::sockopt::socket_error(&fd)??;
    Ok(fd)
}
