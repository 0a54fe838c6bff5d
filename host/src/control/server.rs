//! Serves the control socket: a thread that accepts, and one per connection.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::Subject;
use super::command::execute;
use super::line::{LineError, Lines, Patience};
use super::protocol::{self, Answer, Problem, Reply};
use super::socket::{Socket, SocketError};
use crate::library::Library;

/// Connections at the same time.
const MOST: usize = 16;

/// A client may keep its connection open in silence, but not half a line.
const PATIENCE: Patience =
    Patience { longest: 64 << 10, before: None, within: Duration::from_secs(10) };

/// How long a client may take to receive a reply.
const SENDING: Duration = Duration::from_secs(10);

/// A machine's control socket. It goes away, with its connections, when this
/// value is dropped.
pub struct ControlServer {
    _socket: Socket,
    shared: Arc<Shared>,
}

struct Shared {
    subject: Arc<dyn Subject>,
    library: Arc<Library>,
    connections: Mutex<Connections>,
}

#[derive(Default)]
struct Connections {
    ended: bool,
    next: u64,
    open: BTreeMap<u64, UnixStream>,
}

impl ControlServer {
    /// Listens at `path` and executes what clients ask for on `subject`, with
    /// components from `library`.
    ///
    /// # Errors
    /// The path is taken by a running process or by another file, or the system
    /// refuses the socket or the thread.
    pub fn start(
        path: &Path,
        subject: Arc<dyn Subject>,
        library: Arc<Library>,
    ) -> Result<Self, SocketError> {
        let socket = Socket::listen(path)?;
        let shared = Arc::new(Shared { subject, library, connections: Mutex::default() });
        let accepting = shared.clone();
        socket
            .listener()
            .and_then(|listener| {
                let thread = thread::Builder::new().name("control".into());
                thread.spawn(move || accepting.accept(&listener))
            })
            .map_err(|reason| SocketError::Refused { path: path.into(), reason })?;
        Ok(Self { _socket: socket, shared })
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        let mut connections = self.shared.connections();
        connections.ended = true;
        for stream in connections.open.values() {
            // Its thread sees the end; one that is gone already needs nothing.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn accept(self: Arc<Self>, listener: &UnixListener) {
        loop {
            let accepted = listener.accept();
            if self.connections().ended {
                return;
            }
            match accepted {
                Ok((stream, _)) => self.admit(stream),
                Err(error) => {
                    // No descriptor left, for instance: later there may be one.
                    tracing::warn!(%error, "control socket");
                    thread::sleep(Duration::from_millis(100));
                }
            }
        }
    }

    fn admit(self: &Arc<Self>, stream: UnixStream) {
        let Some(number) = self.register(&stream) else { return };
        let shared = self.clone();
        let thread = thread::Builder::new().name("control client".into());
        let started = thread.spawn(move || {
            let connection = Connection { shared, number };
            if let Err(error) = connection.shared.serve(stream) {
                tracing::debug!(%error, "control connection lost");
            }
        });
        if let Err(error) = started {
            tracing::warn!(%error, "control socket: cannot start a thread");
            self.connections().open.remove(&number);
        }
    }

    /// Notes a connection, unless there are too many.
    fn register(&self, stream: &UnixStream) -> Option<u64> {
        let mut connections = self.connections();
        let handle = stream.try_clone().ok()?;
        if connections.ended || connections.open.len() >= MOST {
            let problem = Problem::new(format!("{MOST} clients are connected; try again later"));
            drop(connections);
            let _ = send(&handle, Answer::Error(problem), None);
            return None;
        }
        let number = connections.next;
        connections.next += 1;
        connections.open.insert(number, handle);
        Some(number)
    }

    fn serve(&self, stream: UnixStream) -> io::Result<()> {
        let replies = stream.try_clone()?;
        let mut lines = Lines::new(stream, PATIENCE);
        loop {
            let line = match lines.next() {
                Ok(Some(line)) => line,
                Ok(None) => return Ok(()),
                Err(LineError::Io(error)) => return Err(error),
                // Where the next line begins is not known.
                Err(error) => return send(&replies, Answer::Error(Problem::new(error)), None),
            };
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let (id, command) = protocol::parse(&line);
            tracing::debug!(?command, "control command");
            let answer =
                command.and_then(|command| execute(command, &*self.subject, &self.library));
            let answer = answer.map_or_else(Answer::Error, Answer::Return);
            send(&replies, answer, id)?;
        }
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
    }
}

fn send(mut stream: &UnixStream, answer: Answer, id: Option<serde_json::Value>) -> io::Result<()> {
    let mut line = serde_json::to_vec(&Reply { answer, id })?;
    line.push(b'\n');
    stream.set_write_timeout(Some(SENDING))?;
    stream.write_all(&line)
}
