//! Serves QMP at a Unix socket.

use std::path::Path;

use super::{Qmp, Style};
use crate::chardev::Connection;
use crate::control::SocketError;
use crate::control::server::Server;

/// A machine's control socket: up to 16 clients at the same time, each with a
/// monitor of its own; more wait. It goes away, with its connections, when this
/// value is dropped; what is being executed is still answered.
pub struct ControlServer {
    _server: Server,
}

impl ControlServer {
    /// Listens at `path`, which only this user can connect to.
    ///
    /// # Errors
    /// The path is taken by a running process or by another file, or the system
    /// refuses the socket or the thread.
    pub fn start(path: &Path, qmp: &Qmp) -> Result<Self, SocketError> {
        let qmp = qmp.clone();
        let server = Server::start(path, "control", move |stream| {
            let (reader, writer) = Connection::of_stream("control", stream)?.split();
            let served = qmp.monitor(Style::Line).serve(reader, writer.clone());
            writer.finish();
            served
        })?;
        Ok(Self { _server: server })
    }
}
