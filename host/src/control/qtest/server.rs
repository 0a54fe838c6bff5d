//! Serves qtest at a Unix socket: a thread that accepts, and one per client.

use std::collections::BTreeMap;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::Qtest;
use crate::control::socket::{Socket, SocketError};

/// Clients at the same time. Others wait until one of these is gone.
const MOST: usize = 16;

/// How long a client may take to receive what is sent.
const SENDING: Duration = Duration::from_secs(10);

/// A socket at which clients find a machine. It goes away, with its connections,
/// when this value is dropped.
///
/// [`Qtest::serve`] is for all other character devices, and for a socket at which
/// the client listens.
pub struct QtestServer {
    _socket: Socket,
    shared: Arc<Shared>,
}

struct Shared {
    qtest: Arc<Qtest>,
    connections: Mutex<Connections>,
    /// A client is gone, or the server.
    left: Condvar,
}

#[derive(Default)]
struct Connections {
    ended: bool,
    next: u64,
    open: BTreeMap<u64, UnixStream>,
}

impl QtestServer {
    /// Listens at `path`, which only this user can connect to, as QEMU does with
    /// `-qtest unix:PATH,server=on,wait=off`.
    ///
    /// # Errors
    /// The path is taken by a running process or by another file, or the system
    /// refuses the socket or the thread.
    pub fn start(path: &Path, qtest: Arc<Qtest>) -> Result<Self, SocketError> {
        let socket = Socket::listen(path)?;
        let left = Condvar::new();
        let shared = Arc::new(Shared { qtest, connections: Mutex::default(), left });
        let accepting = shared.clone();
        socket
            .listener()
            .and_then(|listener| {
                let thread = thread::Builder::new().name("qtest".into());
                thread.spawn(move || accepting.accept(&listener))
            })
            .map_err(|reason| SocketError::Refused { path: path.into(), reason })?;
        Ok(Self { _socket: socket, shared })
    }
}

impl Drop for QtestServer {
    fn drop(&mut self) {
        let mut connections = self.shared.connections();
        connections.ended = true;
        for stream in connections.open.values() {
            // Its thread sees the end; one that is gone already needs nothing.
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.shared.left.notify_all();
    }
}

impl Shared {
    fn accept(self: Arc<Self>, listener: &UnixListener) {
        while self.wait_for_room() {
            let admitted = listener.accept().and_then(|(stream, _)| self.admit(stream));
            if let Err(error) = admitted
                && !self.connections().ended
            {
                // No descriptor or thread left, for instance: later there may be
                // one.
                tracing::warn!(%error, "qtest socket");
                thread::sleep(Duration::from_millis(100));
            }
        }
    }

    /// False when the server has ended.
    fn wait_for_room(&self) -> bool {
        let full =
            |connections: &mut Connections| !connections.ended && connections.open.len() >= MOST;
        let connections = self.left.wait_while(self.connections(), full);
        !connections.unwrap_or_else(PoisonError::into_inner).ended
    }

    fn admit(self: &Arc<Self>, stream: UnixStream) -> io::Result<()> {
        stream.set_write_timeout(Some(SENDING))?;
        let client = self.register(&stream)?;
        let thread = thread::Builder::new().name("qtest client".into());
        thread.spawn(move || {
            if let Err(error) = client.shared.qtest.serve(&stream, &stream) {
                tracing::debug!(%error, "qtest connection lost");
            }
        })?;
        Ok(())
    }

    /// Notes a connection.
    fn register(self: &Arc<Self>, stream: &UnixStream) -> io::Result<Connection> {
        let handle = stream.try_clone()?;
        let mut connections = self.connections();
        if connections.ended {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        let number = connections.next;
        connections.next += 1;
        connections.open.insert(number, handle);
        Ok(Connection { shared: self.clone(), number })
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the connection off the list, however its thread ends.
struct Connection {
    shared: Arc<Shared>,
    number: u64,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.connections().open.remove(&self.number);
        self.shared.left.notify_all();
    }
}
