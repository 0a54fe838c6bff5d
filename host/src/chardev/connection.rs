//! What a front end has of a connection.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use rustix::fd::OwnedFd;

use super::link::{Ends, Link};

/// Serves whoever is at the other end of a character device: a monitor, a serial
/// port, a protocol for tests.
pub trait FrontEnd: Send {
    /// Serves one connection. Called on the character device's own thread, for
    /// one connection after the other; the connection ends when this returns. It
    /// should return when the [`Reader`] is at its end.
    fn serve(&mut self, connection: Connection);
}

impl<F: FnMut(Connection) + Send> FrontEnd for F {
    fn serve(&mut self, connection: Connection) {
        self(connection);
    }
}

/// A connection that has been made.
pub struct Connection(Arc<Link>);

impl Connection {
    pub(super) const fn new(link: Arc<Link>) -> Self {
        Self(link)
    }

    /// A connection that somebody else has made. `name` is for messages.
    ///
    /// # Errors
    /// There is no descriptor left.
    pub fn of_stream(name: &str, stream: UnixStream) -> io::Result<Self> {
        Link::new(name, String::new(), Ends::Socket(stream.into())).map(Self)
    }

    /// Both directions, for any threads.
    #[must_use]
    pub fn split(self) -> (Reader, Writer) {
        (Reader { link: self.0.clone(), fds: Vec::new() }, Writer(self.0))
    }
}

/// The input of a connection.
///
/// It ends when the peer is gone or the character device is closed. That standard
/// input or a file is at its end does not end it: output goes on.
pub struct Reader {
    link: Arc<Link>,
    fds: Vec<OwnedFd>,
}

impl Reader {
    /// The descriptors that the peer sent along with what has been read
    /// (`SCM_RIGHTS` of unix(7)), at most 16 of a message, closed on exec. Those
    /// that are not taken before the next come are closed.
    pub fn take_fds(&mut self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.fds)
    }

    /// Whether the peer will not send any more. What it sent before may still be
    /// there to be read.
    #[must_use]
    pub fn is_peer_gone(&self) -> bool {
        self.link.is_peer_gone()
    }

    /// Waits until the connection is over. What a peer sends meanwhile is
    /// dropped; standard input and files are not read.
    pub fn ignore(self) {
        if let Err(error) = self.link.ignore() {
            tracing::debug!(chardev = self.link.id, %error, "connection lost");
        }
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.link.read(buffer, &mut self.fds)
    }
}

/// The output of a connection. Clones write to the same one, each write as a
/// whole.
///
/// Writing never waits for the peer of a socket, a pipe or a pseudo-terminal:
/// what it does not take is kept for it, and when 16 MiB are and there is more,
/// it loses its connection. Standard output, standard error and files make the
/// writer wait, until the character device is closed.
#[derive(Clone)]
pub struct Writer(Arc<Link>);

impl Writer {
    /// Ends the connection, once what was written is on its way: a peer that does not
    /// take it has a second.
    pub fn finish(&self) {
        self.0.finish();
    }
}

impl Write for Writer {
    /// Takes all bytes, or fails: the connection is over then.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
