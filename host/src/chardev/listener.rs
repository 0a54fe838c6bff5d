//! Sockets at which others connect.

use std::net::{TcpListener, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::sockopt::set_tcp_nodelay;
use rustix::net::{SocketFlags, accept_with};

use super::config::SocketAddress;
use super::error::Problem;
use super::link::{Ends, Link};
use super::place::{Place, unix_socket};
use super::wait::Over;
use super::{inherited, names};

/// Connections that wait to be accepted.
pub(super) const BACKLOG: i32 = 16;

/// How long nothing is accepted after that has failed.
const RECOVERY: Duration = Duration::from_millis(100);

/// Where clients are accepted, one after the other.
pub(super) struct Listener {
    id: String,
    sockets: Vec<OwnedFd>,
    nodelay: bool,
    /// QEMU's name while there is no connection.
    pub(super) name: String,
}

impl Listener {
    /// Listens. With the listener comes the file of its socket.
    pub(super) fn open(
        id: &str,
        address: &SocketAddress,
    ) -> Result<(Self, Option<Place>), Problem> {
        let mut place = None;
        let sockets = match address {
            SocketAddress::Unix(path) => {
                let (socket, file) = unix(path)?;
                place = Some(file);
                vec![socket]
            }
            SocketAddress::Tcp { host, port, .. } => tcp(host, *port)?,
            SocketAddress::Fd(number) => vec![inherited::listener(*number)?],
        };
        let address_text = match (address, sockets.first()) {
            (SocketAddress::Unix(path), _) => format!("unix:{}", path.display()),
            (_, Some(first)) => names::listening(first).map_err(std::io::Error::from)?,
            (_, None) => String::new(),
        };
        let nodelay = matches!(address, SocketAddress::Tcp { nodelay: true, .. });
        let name = names::disconnected(&address_text, true);
        Ok((Self { id: id.into(), sockets, nodelay, name }, place))
    }

    /// Waits for the next client. None when it is over.
    pub(super) fn accept(&self, over: &Over) -> Option<Arc<Link>> {
        while !over.is_set() {
            match self.try_accept(over) {
                Ok(link) => return link,
                // The client was faster than its acceptance, or another process.
                Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED | Errno::NOTCONN) => {}
                Err(error) => {
                    // No descriptor left, for instance: later there may be one.
                    tracing::warn!(chardev = self.id, %error, "cannot accept a client");
                    over.pause(RECOVERY);
                }
            }
        }
        None
    }

    fn try_accept(&self, over: &Over) -> Result<Option<Arc<Link>>, Errno> {
        let other = |error: std::io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
        let ready = over.wait_any(&self.sockets, PollFlags::IN, None).map_err(other)?;
        let Some((number, _)) = ready else { return Ok(None) };
        let socket = accept_with(&self.sockets[number], SocketFlags::CLOEXEC)?;
        if self.nodelay {
            set_tcp_nodelay(&socket, true)?;
        }
        let name = names::connected(&socket, true)?;
        Link::new(&self.id, name, Ends::Socket(socket)).map(Some).map_err(other)
    }
}

fn unix(path: &Path) -> Result<(OwnedFd, Place), Problem> {
    let refused = |reason: Errno| Problem::listen(path, reason);
    let socket = unix_socket(SocketFlags::CLOEXEC | SocketFlags::NONBLOCK).map_err(refused)?;
    let place = Place::take(&socket, path)?;
    rustix::net::listen(&socket, BACKLOG).map_err(refused)?;
    Ok((socket, place))
}

/// Sockets at all addresses that a host has and that are this computer's.
fn tcp(host: &str, port: u16) -> Result<Vec<OwnedFd>, Problem> {
    let refused = |reason| Problem::Listen { address: names::tcp(host, port), reason };
    let everywhere = if host.is_empty() { "0.0.0.0" } else { host };
    let addresses = (everywhere, port).to_socket_addrs().map_err(refused)?;
    let mut failed = std::io::Error::from(Errno::ADDRNOTAVAIL);
    let mut sockets = Vec::new();
    for address in addresses {
        let listener = TcpListener::bind(address)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
        match listener {
            Ok(listener) => sockets.push(listener.into()),
            Err(error) => failed = error,
        }
    }
    if sockets.is_empty() { Err(refused(failed)) } else { Ok(sockets) }
}
