//! Connecting to a server.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::sockopt::{set_tcp_nodelay, socket_error};
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};

use super::error::Problem;
use super::link::{Ends, Link};
use super::wait::Over;
use super::{names, place};

/// How long a server may take to let this process connect.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait before a busy server is tried again.
const MOMENT: Duration = Duration::from_millis(50);

const FLAGS: SocketFlags = SocketFlags::CLOEXEC.union(SocketFlags::NONBLOCK);

/// A server to connect to.
pub(super) struct Server {
    pub(super) id: String,
    pub(super) at: At,
}

/// Where it is.
pub(super) enum At {
    Unix(PathBuf),
    Tcp { host: String, port: u16, nodelay: bool },
}

impl Server {
    /// Its address, as QEMU names it.
    pub(super) fn address(&self) -> String {
        match &self.at {
            At::Unix(path) => format!("unix:{}", path.display()),
            At::Tcp { host, port, .. } => names::tcp(host, *port),
        }
    }

    /// Connects. An error also when it is over.
    pub(super) fn connect(&self, over: &Over) -> Result<Arc<Link>, Problem> {
        let socket = match &self.at {
            At::Unix(path) => {
                let address = place::address(path)?;
                self.unix(&address, over)
            }
            At::Tcp { host, port, nodelay } => tcp(host, *port, *nodelay, over),
        };
        let linked = socket.and_then(|socket| {
            rustix::io::ioctl_fionbio(&socket, false)?;
            link(&self.id, socket)
        });
        linked.map_err(|reason| Problem::Connect { address: self.address(), reason })
    }

    fn unix(&self, address: &rustix::net::SocketAddrUnix, over: &Over) -> io::Result<OwnedFd> {
        let end = Instant::now() + PATIENCE;
        let socket = place::unix_socket(FLAGS)?;
        loop {
            match connect(&socket, address) {
                Ok(()) => return Ok(socket),
                // As many clients wait as the server lets wait.
                Err(Errno::AGAIN) if Instant::now() < end && over.pause(MOMENT) => {}
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The link of a socket that has been connected.
pub(super) fn link(id: &str, socket: OwnedFd) -> io::Result<Arc<Link>> {
    let name = names::connected(&socket, false)?;
    Link::new(id, name, Ends::Socket(socket))
}

/// Connects to the first address of a host that somebody answers at.
fn tcp(host: &str, port: u16, nodelay: bool, over: &Over) -> io::Result<OwnedFd> {
    let host = if host.is_empty() { "localhost" } else { host };
    let mut failed = io::Error::from(Errno::ADDRNOTAVAIL);
    for address in (host, port).to_socket_addrs()? {
        match tcp_at(&address, over) {
            Ok(socket) => {
                set_tcp_nodelay(&socket, nodelay)?;
                return Ok(socket);
            }
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn tcp_at(address: &SocketAddr, over: &Over) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket_with(family, SocketType::STREAM, FLAGS, None)?;
    match connect(&socket, address) {
        Ok(()) => return Ok(socket),
        Err(Errno::INPROGRESS | Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    if over.wait_any(&[&socket], PollFlags::OUT, Some(PATIENCE))?.is_none() {
        return Err(Errno::TIMEDOUT.into());
    }
    socket_error(&socket)??;
    Ok(socket)
}
