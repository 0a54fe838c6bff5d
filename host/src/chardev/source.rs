//! Where a character device has its connections from.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::dial::Server;
use super::files::{Pipe, Pty};
use super::link::Link;
use super::listener::Listener;
use super::wait::Over;

/// How often a pseudo-terminal is looked at while nobody has it open, which the
/// system says to nobody. QEMU's value.
const GLANCE: Duration = Duration::from_secs(1);

/// Connections, one after the other.
pub(super) enum Source {
    /// There is no other.
    Nothing,
    Clients(Listener),
    Server {
        server: Server,
        every: Duration,
        /// There has been an attempt, and when it failed that was said.
        tried: bool,
    },
    Pipe(Pipe),
    Pty(Pty),
}

impl Source {
    /// Waits for the next connection. None when it is over.
    pub(super) fn next(&mut self, id: &str, over: &Over) -> Option<Arc<Link>> {
        match self {
            Self::Nothing => {
                while over.pause(Duration::MAX) {}
                None
            }
            Self::Clients(listener) => listener.accept(over),
            Self::Server { server, every, tried } => reconnect(server, *every, tried, over),
            Self::Pipe(pipe) => {
                let link = || Ok(Some(Link::new(id, "pipe".into(), pipe.ends()?)?));
                repeat(link, id, over)
            }
            Self::Pty(pty) => {
                let link = || match pty.ends()? {
                    Some(ends) => Ok(Some(Link::new(id, pty.name.clone(), ends)?)),
                    None => Ok(None),
                };
                repeat(link, id, over)
            }
        }
    }
}

/// Tries at once the first time, and later after a while.
fn reconnect(server: &Server, every: Duration, tried: &mut bool, over: &Over) -> Option<Arc<Link>> {
    let mut told = false;
    while !*tried || over.pause(every) {
        *tried = true;
        match server.connect(over) {
            Ok(link) => return Some(link),
            Err(_) if over.is_set() => return None,
            Err(problem) if !told => {
                let wait = every.as_secs_f64();
                tracing::warn!(chardev = server.id, "{problem}; trying again every {wait} s");
                told = true;
            }
            Err(_) => {}
        }
    }
    None
}

fn repeat(
    mut link: impl FnMut() -> io::Result<Option<Arc<Link>>>,
    id: &str,
    over: &Over,
) -> Option<Arc<Link>> {
    while !over.is_set() {
        match link() {
            Ok(Some(link)) => return Some(link),
            Ok(None) => {}
            // No descriptor left, for instance: later there may be one.
            Err(error) => tracing::warn!(chardev = id, %error, "cannot connect"),
        }
        over.pause(GLANCE);
    }
    None
}
