//! Character devices: what monitors and serial ports are attached to.
//!
//! A character device has one back end on the host ([`Backend`]) and at most one
//! front end ([`FrontEnd`]), which it calls on a thread of its own for one
//! connection after the other:
//!
//! | back end | connections |
//! |---|---|
//! | null, stdio, stderr, file | one for ever; the end of the input does not end it |
//! | socket, server | one client at a time; others wait in the backlog |
//! | socket, client | one, or again and again with `reconnect` |
//! | pipe | as long as the reader keeps up; then another |
//! | pseudo-terminal | as long as somebody has it open |
//!
//! They behave as QEMU's do, and have the same names in `query-chardev`. Unlike
//! QEMU a server does not take the place of a socket at which another process
//! listens, nor of a file that is not a socket, and does not accept a client
//! before it has a front end.

mod config;
mod connection;
mod dial;
mod error;
mod files;
mod inherited;
mod link;
mod listener;
mod mux;
mod names;
mod outbox;
mod place;
mod port;
mod source;
#[cfg(test)]
mod tests;
mod wait;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

pub use config::{Backend, Config, Role, SocketAddress, SocketConfig};
pub use connection::{Connection, FrontEnd, Reader, Writer};
pub use error::{Error, Problem};
pub(crate) use inherited::duplicate;
pub use mux::{ESCAPE, Mux, Muxed, Queued};
pub(crate) use place::{Place, unix_socket};
pub use port::{Input, NoInput, Output};

use dial::{At, Server};
use files::{Pipe, Pty, Stdio};
use link::{Ends, Link};
use listener::Listener;
use source::Source;
use wait::Over;

/// How long a front end may take to answer what it has received when its character
/// device is closed.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A character device. It is closed when this value is dropped.
pub struct Chardev {
    shared: Arc<Shared>,
    /// Until there is a front end.
    source: Mutex<Option<Source>>,
    held: Mutex<Held>,
}

/// What a character device has of the system besides its connections.
#[derive(Default)]
struct Held {
    _place: Option<Place>,
    _stdio: Option<Stdio>,
}

/// What the thread that serves and the ports' output know of it.
struct Shared {
    id: String,
    /// QEMU's name while there is no connection.
    idle: String,
    connection: Mutex<Option<Arc<Link>>>,
    /// The connection has been served.
    served: Condvar,
    /// The thread that serves, once there is one.
    server: OnceLock<ThreadId>,
    closing: Over,
}

/// What opening leads to.
struct Opened {
    idle: String,
    source: Source,
    /// A connection that is there already.
    first: Option<Arc<Link>>,
    held: Held,
}

impl Chardev {
    /// Opens a character device: binds, connects, creates.
    ///
    /// A server with `wait` returns when its first client is there.
    ///
    /// # Errors
    /// The socket, file or descriptor is not as it should be, or the system
    /// refuses.
    pub fn open(config: Config) -> Result<Arc<Self>, Error> {
        let Config { id, backend } = config;
        let system = |problem: std::io::Error| Problem::from(problem).of(&id);
        let closing = Over::new().map_err(system)?;
        let opened = open(&id, &backend, &closing).map_err(|problem| problem.of(&id))?;
        let Opened { idle, source, first, held } = opened;
        let (connection, served, server) = (Mutex::new(first), Condvar::new(), OnceLock::new());
        let shared = Shared { id, idle, connection, served, server, closing };
        let (source, held) = (Mutex::new(Some(source)), Mutex::new(held));
        Ok(Arc::new(Self { shared: Arc::new(shared), source, held }))
    }

    /// Its name, QEMU's `id=`.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.shared.id
    }

    /// What it is connected to now, in QEMU's words: the `filename` of
    /// `query-chardev`.
    #[must_use]
    pub fn filename(&self) -> String {
        self.shared.current().map_or_else(|| self.shared.idle.clone(), |link| link.name.clone())
    }

    /// Whether it has a front end: `frontend-open` of `query-chardev`.
    #[must_use]
    pub fn frontend_open(&self) -> bool {
        lock(&self.source).is_none()
    }

    /// Output to whoever is connected.
    #[must_use]
    pub fn output(&self) -> Output {
        Output(self.shared.clone())
    }

    /// Has a front end serve its connections from now on.
    ///
    /// # Errors
    /// It has one already, or there is no thread for it.
    pub fn attach(&self, mut front_end: impl FrontEnd + 'static) -> Result<(), Error> {
        let in_use = || Error::InUse(self.label().into());
        let mut source = lock(&self.source).take().ok_or_else(in_use)?;
        let shared = self.shared.clone();
        let thread = thread::Builder::new().name(format!("chardev {}", shared.id));
        let started = thread.spawn(move || shared.serve(&mut source, &mut front_end));
        started.map(drop).map_err(|error| Problem::from(error).of(self.label()))
    }

    /// Ends its connection, and with it what its front end does, and gives back
    /// what it has. The front end may still answer what it has received: it has two
    /// seconds to return. Output that a peer has not taken yet keeps the connection
    /// for a second at most.
    pub fn close(&self) {
        self.shared.closing.set();
        if let Some(link) = self.shared.current() {
            link.deafen();
            self.shared.wait_served();
            link.finish();
        }
        drop(std::mem::take(&mut *lock(&self.held)));
    }
}

impl Drop for Chardev {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn current(&self) -> Option<Arc<Link>> {
        lock(&self.connection).clone()
    }

    /// Waits until the front end has returned, if there is one; it may be the one that
    /// waits.
    fn wait_served(&self) {
        let server = self.server.get();
        if server.is_some_and(|server| *server != thread::current().id()) {
            let connection = lock(&self.connection);
            let busy = |connection: &mut Option<Arc<Link>>| connection.is_some();
            drop(self.served.wait_timeout_while(connection, LAST_WORDS, busy));
        }
    }

    fn serve(&self, source: &mut Source, front_end: &mut impl FrontEnd) {
        let _ = self.server.set(thread::current().id());
        while let Some(link) = self.current().or_else(|| self.connect(source)) {
            tracing::debug!(chardev = self.id, name = link.name, "connected");
            front_end.serve(Connection::new(link.clone()));
            link.finish();
            *lock(&self.connection) = None;
            self.served.notify_all();
        }
    }

    /// The next connection. None when it is closed.
    fn connect(&self, source: &mut Source) -> Option<Arc<Link>> {
        let link = source.next(&self.id, &self.closing)?;
        let mut connection = lock(&self.connection);
        // Whoever closes sets the one and then looks for the other.
        if self.closing.is_set() {
            return None;
        }
        *connection = Some(link.clone());
        Some(link)
    }
}

fn open(id: &str, backend: &Backend, closing: &Over) -> Result<Opened, Problem> {
    let mut held = Held::default();
    let (idle, ends) = match backend {
        Backend::Null => ("null", Ends::Standing { input: None, output: None }),
        Backend::Stdio { .. } => {
            let (stdio, ends) = Stdio::take()?;
            held._stdio = Some(stdio);
            ("stdio", ends)
        }
        Backend::Stderr => ("stderr", files::stderr()?),
        Backend::File { path, append, input } => {
            ("file", files::file(path, *append, input.as_deref())?)
        }
        Backend::Pipe { path } => {
            let pipe = Pipe::open(path)?;
            let first = Link::new(id, "pipe".into(), pipe.ends()?)?;
            let (idle, source) = ("pipe".into(), Source::Pipe(pipe));
            return Ok(Opened { idle, source, first: Some(first), held });
        }
        Backend::Pty => {
            let pty = Pty::open()?;
            let path = pty.name.trim_start_matches("pty:");
            tracing::info!("char device redirected to {path} (label {id})");
            let (idle, source) = (pty.name.clone(), Source::Pty(pty));
            return Ok(Opened { idle, source, first: None, held });
        }
        Backend::Socket(SocketConfig { address, role: Role::Server { wait } }) => {
            return serve_at(id, address, *wait, closing);
        }
        Backend::Socket(SocketConfig { address, role: Role::Client { reconnect } }) => {
            return connect_to(id, address, *reconnect, closing);
        }
    };
    let first = Link::new(id, idle.into(), ends)?;
    Ok(Opened { idle: idle.into(), source: Source::Nothing, first: Some(first), held })
}

fn serve_at(
    id: &str,
    address: &SocketAddress,
    wait: bool,
    closing: &Over,
) -> Result<Opened, Problem> {
    let (listener, _place) = Listener::open(id, address)?;
    let first = if wait {
        tracing::info!("QEMU waiting for connection on: {}", listener.name);
        listener.accept(closing)
    } else {
        None
    };
    let (idle, source) = (listener.name.clone(), Source::Clients(listener));
    Ok(Opened { idle, source, first, held: Held { _place, ..Held::default() } })
}

fn connect_to(
    id: &str,
    address: &SocketAddress,
    reconnect: Option<Duration>,
    closing: &Over,
) -> Result<Opened, Problem> {
    // As in QEMU no time at all means never.
    let reconnect = reconnect.filter(|every| !every.is_zero());
    let at = match address.clone() {
        SocketAddress::Unix(path) => {
            // What cannot be an address will not become one.
            place::address(&path)?;
            At::Unix(path)
        }
        SocketAddress::Tcp { host, port, nodelay } => At::Tcp { host, port, nodelay },
        SocketAddress::Fd(_) if reconnect.is_some() => return Err(Problem::ReconnectDescriptor),
        SocketAddress::Fd(number) => {
            let first = Some(dial::link(id, inherited::connection(number)?)?);
            let idle = names::disconnected(&format!("fd:{number}"), false);
            return Ok(Opened { idle, source: Source::Nothing, first, held: Held::default() });
        }
    };
    let server = Server { id: id.into(), at };
    let idle = names::disconnected(&server.address(), false);
    let (first, source) = match reconnect {
        Some(every) => (None, Source::Server { server, every, tried: false }),
        None => (Some(server.connect(closing)?), Source::Nothing),
    };
    Ok(Opened { idle, source, first, held: Held::default() })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
