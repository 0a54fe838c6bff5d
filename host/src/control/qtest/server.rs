//! Serves qtest at a Unix socket.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::Qtest;
use crate::control::server::Server;
use crate::control::socket::SocketError;

/// How long a client may take to receive what is sent.
const SENDING: Duration = Duration::from_secs(10);

/// A socket at which clients find a machine. It goes away, with its connections,
/// when this value is dropped.
///
/// [`Qtest::serve`] is for all other character devices, and for a socket at which
/// the client listens.
pub struct QtestServer {
    _server: Server,
}

impl QtestServer {
    /// Listens at `path`, which only this user can connect to, as QEMU does with
    /// `-qtest unix:PATH,server=on,wait=off`.
    ///
    /// # Errors
    /// The path is taken by a running process or by another file, or the system
    /// refuses the socket or the thread.
    pub fn start(path: &Path, qtest: Arc<Qtest>) -> Result<Self, SocketError> {
        let server = Server::start(path, "qtest", move |stream| {
            stream.set_write_timeout(Some(SENDING))?;
            qtest.serve(&stream, &stream)
        })?;
        Ok(Self { _server: server })
    }
}
