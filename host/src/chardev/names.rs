//! What QEMU calls a character device: the `filename` of `query-chardev`, as
//! QEMU 7.2 says it.

use std::net::SocketAddr;

use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{SocketAddrAny, SocketAddrUnix, getpeername, getsockname};

/// What follows the address of a server.
pub(super) const SERVER: &str = ",server=on";

/// A socket that has no connection. An IPv6 address has no brackets then.
pub(super) fn disconnected(address: &str, server: bool) -> String {
    format!("disconnected:{address}{}", if server { SERVER } else { "" })
}

/// The address of a socket that listens.
pub(super) fn listening(socket: &OwnedFd) -> Result<String, Errno> {
    let address = getsockname(socket)?;
    if let Ok(address) = SocketAddr::try_from(address.clone()) {
        return Ok(tcp(&address.ip().to_string(), address.port()));
    }
    let address = SocketAddrUnix::try_from(address)?;
    Ok(match address.abstract_name() {
        Some(name) => format!("unix:{},abstract=on,tight=on", String::from_utf8_lossy(name)),
        None => unix(&address),
    })
}

/// The address of a server in the network.
pub(super) fn tcp(host: &str, port: u16) -> String {
    format!("tcp:{host}:{port}")
}

/// A socket that has a connection.
pub(super) fn connected(socket: &OwnedFd, server: bool) -> Result<String, Errno> {
    let server = if server { SERVER } else { "" };
    let local = getsockname(socket)?;
    let Ok(local) = SocketAddr::try_from(local.clone()) else {
        return Ok(unix(&SocketAddrUnix::try_from(local)?) + server);
    };
    let peer: SocketAddrAny = getpeername(socket)?.ok_or(Errno::NOTCONN)?;
    let peer = SocketAddr::try_from(peer)?;
    Ok(format!("tcp:{local}{server} <-> {peer}"))
}

/// Clients are nowhere.
fn unix(address: &SocketAddrUnix) -> String {
    let path = address.path_bytes().unwrap_or_default();
    format!("unix:{}", String::from_utf8_lossy(path))
}
