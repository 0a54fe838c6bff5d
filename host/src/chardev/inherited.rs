//! Descriptors that this process was started with.

use std::io;
use std::os::unix::net::UnixStream;

use rustix::fd::OwnedFd;
use rustix::net::sockopt::socket_type;
use rustix::net::{SocketType, getpeername};
use vmm_sys_util::sock_ctrl_msg::ScmSocket as _;

use super::connection::Connection;
use super::error::Problem;
use super::listener::BACKLOG;

/// Another descriptor of the stream socket that `number` is one of, which
/// listens from now on.
pub(super) fn listener(number: i32) -> Result<OwnedFd, Problem> {
    let expected = "a stream socket that is bound to an address";
    let refused = |reason| Problem::Descriptor { number, reason, expected };
    let socket = stream_socket(number).map_err(refused)?;
    rustix::net::listen(&socket, BACKLOG).map_err(|reason| refused(reason.into()))?;
    // Others may accept from it, too, and be faster.
    rustix::io::ioctl_fionbio(&socket, true).map_err(|reason| refused(reason.into()))?;
    Ok(socket)
}

/// Another descriptor of the connection that `number` is one of.
pub(super) fn connection(number: i32) -> Result<OwnedFd, Problem> {
    let expected = "a connected stream socket";
    let refused = |reason| Problem::Descriptor { number, reason, expected };
    let socket = stream_socket(number).map_err(refused)?;
    getpeername(&socket).map_err(|reason| refused(reason.into()))?;
    rustix::io::ioctl_fionbio(&socket, false).map_err(|reason| refused(reason.into()))?;
    Ok(socket)
}

fn stream_socket(number: i32) -> io::Result<OwnedFd> {
    let socket = duplicate(number)?;
    if socket_type(&socket)? != SocketType::STREAM {
        return Err(io::Error::other("not a stream socket"));
    }
    Ok(socket)
}

/// Another descriptor of what `number` is one of.
///
/// Nothing but the system knows whether there is such a descriptor and whose it
/// is, so it is not taken over: it is sent from this process to itself, and
/// received as a new one.
pub(crate) fn duplicate(number: i32) -> io::Result<OwnedFd> {
    let (from, to) = UnixStream::pair()?;
    from.send_with_fd(&[0_u8][..], number)?;
    let (mut reader, _) = Connection::of_stream("", to)?.split();
    io::Read::read(&mut reader, &mut [0])?;
    let missing = || io::Error::other("no descriptor was received");
    reader.take_fds().pop().ok_or_else(missing)
}
