//! A Unix socket that several clients use at the same time: a thread that accepts,
//! and one per client.

use std::collections::BTreeMap;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::socket::{Socket, SocketError};

/// Clients at the same time. Others wait until one of these is gone.
const MOST: usize = 16;

/// How long clients may take for what they are still to be sent when the server
/// ends.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A socket at which clients are served. It goes away, with its connections, when
/// this value is dropped: what is being executed is still answered.
pub(super) struct Server {
    _socket: Socket,
    shared: Arc<Shared>,
}

type Serve = dyn Fn(UnixStream) -> io::Result<()> + Send + Sync;

struct Shared {
    /// What is served, for messages and threads.
    name: &'static str,
    serve: Box<Serve>,
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

impl Server {
    /// Listens at `path`, which only this user can connect to, and has each client
    /// be served by `serve` on a thread of its own, until that returns.
    pub(super) fn start(
        path: &Path,
        name: &'static str,
        serve: impl Fn(UnixStream) -> io::Result<()> + Send + Sync + 'static,
    ) -> Result<Self, SocketError> {
        let socket = Socket::listen(path)?;
        let serve = Box::new(serve);
        let (connections, left) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { name, serve, connections, left });
        let accepting = shared.clone();
        socket
            .listener()
            .and_then(|listener| {
                let thread = thread::Builder::new().name(name.into());
                thread.spawn(move || accepting.accept(&listener))
            })
            .map_err(|reason| SocketError::Refused { path: path.into(), reason })?;
        Ok(Self { _socket: socket, shared })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Shared { left, .. } = &*self.shared;
        let mut connections = self.shared.connections();
        connections.ended = true;
        left.notify_all();
        connections.shut_down(Shutdown::Read);
        let some = |connections: &mut Connections| !connections.open.is_empty();
        let waited = left.wait_timeout_while(connections, LAST_WORDS, some);
        waited.unwrap_or_else(PoisonError::into_inner).0.shut_down(Shutdown::Both);
    }
}

impl Connections {
    fn shut_down(&self, how: Shutdown) {
        for stream in self.open.values() {
            // Its thread sees the end; one that is gone already needs nothing.
            let _ = stream.shutdown(how);
        }
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
                tracing::warn!(%error, "{} socket", self.name);
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
        let client = self.register(&stream)?;
        let thread = thread::Builder::new().name(format!("{} client", self.name));
        thread.spawn(move || {
            let Shared { name, serve, .. } = &*client.shared;
            if let Err(error) = serve(stream) {
                tracing::debug!(%error, "{name} connection lost");
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
