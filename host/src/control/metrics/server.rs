//! Serves metrics: a thread that accepts, and one per connection.

use std::collections::BTreeMap;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::collect::{Source, collect};
use super::connection::Connection;
use super::{MetricsAddress, http};
use crate::control::socket::{Socket, SocketError};

/// Connections at the same time; more are sent away.
const MOST: usize = 16;

/// Why metrics are not served.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The address cannot be listened at.
    #[error("metrics at {address}: {reason}")]
    Refused {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        reason: io::Error,
    },
    /// Nor can the Unix socket.
    #[error("metrics at a {0}")]
    Socket(#[from] SocketError),
    /// The host refuses another thread.
    #[error("metrics: cannot start a thread: {0}")]
    Thread(io::Error),
}

/// Serves the metrics of a machine until it is dropped.
pub struct MetricsServer {
    _place: Place,
    address: MetricsAddress,
    shared: Arc<Shared>,
}

/// What is listened at, until this is dropped.
enum Place {
    Tcp(TcpListener),
    Unix { _socket: Socket },
}

/// The same for the thread that accepts.
enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

struct Shared {
    source: Arc<dyn Source>,
    connections: Mutex<Connections>,
}

#[derive(Default)]
struct Connections {
    ended: bool,
    next: u64,
    open: BTreeMap<u64, Connection>,
}

impl MetricsServer {
    /// Listens at an address and answers with the metrics of `source`.
    ///
    /// # Errors
    /// The address is taken, or the system refuses the socket or the thread.
    pub fn start(address: &MetricsAddress, source: Arc<dyn Source>) -> Result<Self, MetricsError> {
        let (place, listener, address) = listen(address)?;
        let shared = Arc::new(Shared { source, connections: Mutex::default() });
        let accepting = shared.clone();
        thread::Builder::new()
            .name("metrics".into())
            .spawn(move || accepting.accept(&listener))
            .map_err(MetricsError::Thread)?;
        tracing::info!(%address, "metrics");
        Ok(Self { _place: place, address, shared })
    }

    /// Where it listens: with the port that was found if any was to be.
    #[must_use]
    pub const fn address(&self) -> &MetricsAddress {
        &self.address
    }
}

fn listen(address: &MetricsAddress) -> Result<(Place, Listener, MetricsAddress), MetricsError> {
    match address {
        &MetricsAddress::Tcp(address) => {
            let refused = |reason| MetricsError::Refused { address, reason };
            let place = TcpListener::bind(address).map_err(refused)?;
            let found = place.local_addr().map_err(refused)?;
            let listener = Listener::Tcp(place.try_clone().map_err(refused)?);
            Ok((Place::Tcp(place), listener, MetricsAddress::Tcp(found)))
        }
        MetricsAddress::Unix(path) => {
            let place = Socket::listen(path)?;
            let refused = |reason| SocketError::Refused { path: path.clone(), reason };
            let listener = Listener::Unix(place.listener().map_err(refused)?);
            Ok((Place::Unix { _socket: place }, listener, address.clone()))
        }
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        let mut connections = self.shared.connections();
        connections.ended = true;
        for connection in connections.open.values() {
            // Its thread sees the end; one that is gone already needs nothing.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Tcp(listener) = self {
            // Ends an `accept` that another thread waits in, as a `Socket` does.
            let _ = rustix::net::shutdown(listener, rustix::net::Shutdown::Both);
        }
    }
}

impl Listener {
    fn accept(&self) -> io::Result<Connection> {
        match self {
            Self::Tcp(listener) => Ok(Connection::Tcp(listener.accept()?.0)),
            Self::Unix(listener) => Ok(Connection::Unix(listener.accept()?.0)),
        }
    }
}

impl Shared {
    fn accept(self: Arc<Self>, listener: &Listener) {
        loop {
            let accepted = listener.accept();
            if self.connections().ended {
                return;
            }
            match accepted {
                Ok(connection) => self.admit(connection),
                Err(error) => {
                    // No descriptor left, for instance: later there may be one.
                    tracing::warn!(%error, "metrics");
                    thread::sleep(Duration::from_secs(1));
                }
            }
        }
    }

    fn admit(self: &Arc<Self>, connection: Connection) {
        let Some(number) = self.register(&connection) else {
            let _ = http::send_away(&connection);
            return;
        };
        let open = Open { shared: self.clone(), number };
        let started = thread::Builder::new().name("metrics client".into()).spawn(move || {
            let page = || collect(&*open.shared.source);
            if let Err(error) = http::serve(&connection, page) {
                tracing::debug!(%error, "metrics connection lost");
            }
        });
        if let Err(error) = started {
            tracing::debug!(%error, "metrics: cannot start a thread");
        }
    }

    /// Notes a connection, unless there are too many.
    fn register(&self, connection: &Connection) -> Option<u64> {
        let mut connections = self.connections();
        let handle = connection.try_clone().ok()?;
        if connections.ended || connections.open.len() >= MOST {
            return None;
        }
        let number = connections.next;
        connections.next += 1;
        connections.open.insert(number, handle);
        Some(number)
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the connection off the list, however its thread ends.
struct Open {
    shared: Arc<Shared>,
    number: u64,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.shared.connections().open.remove(&self.number);
    }
}
