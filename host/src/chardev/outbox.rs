//! What a peer has not taken yet.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;

use super::link::Link;

/// How much may wait for a peer that does not read, in bytes, when more is sent.
/// Then it loses its connection.
pub(super) const MOST: usize = 16 << 20;

/// How much is handed to the system at once, in bytes.
const CHUNK: usize = 64 << 10;

/// How long a connection that ends waits for its peer to take what was sent.
const LINGER: Duration = Duration::from_secs(1);

/// Bytes that wait for a peer.
///
/// As long as the peer takes what it is sent, whoever sends does the work and
/// nothing is kept. From when it does not until it has caught up, a thread sends
/// what waits, so that nobody else has to.
#[derive(Default)]
pub(super) struct Outbox {
    pending: Mutex<Pending>,
    /// Nothing waits any more, or nothing can be sent any more.
    settled: Condvar,
}

#[derive(Default)]
struct Pending {
    queue: VecDeque<u8>,
    /// There is a thread that empties the queue.
    sending: bool,
    /// Nothing can be sent any more.
    lost: bool,
}

impl Outbox {
    /// Writes to what may block, while nobody else does.
    ///
    /// # Errors
    /// It fails, or has failed before.
    pub(super) fn in_turn(
        &self,
        link: &Link,
        write: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let mut pending = self.lock();
        if pending.lost {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        write().inspect_err(|error| {
            pending.lost = true;
            if !link.over.is_set() {
                tracing::warn!(chardev = link.id, %error, "output is lost");
            }
        })
    }

    /// Sends bytes, now or later, or ends the connection.
    pub(super) fn send(&self, link: &Arc<Link>, bytes: &[u8]) -> io::Result<()> {
        let mut pending = self.lock();
        if pending.lost || link.over.is_set() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        pending.send(link, bytes).inspect_err(|error| {
            if error.kind() == io::ErrorKind::BrokenPipe {
                tracing::debug!(chardev = link.id, %error, "connection lost");
            } else {
                tracing::warn!(chardev = link.id, %error, "connection lost");
            }
            self.lose(&mut pending, link);
        })
    }

    /// Sends what waits until nothing does.
    fn empty(&self, link: &Link) {
        let mut chunk = Vec::with_capacity(CHUNK);
        loop {
            let mut pending = self.lock();
            if pending.queue.is_empty() || pending.lost || link.over.is_set() {
                pending.queue = VecDeque::new();
                pending.sending = false;
                self.settled.notify_all();
                return;
            }
            let (front, _) = pending.queue.as_slices();
            chunk.clear();
            chunk.extend_from_slice(&front[..front.len().min(CHUNK)]);
            drop(pending);
            // Others only append to the queue.
            match link.write_now(&chunk) {
                Ok(count) => drop(self.lock().queue.drain(..count)),
                Err(Errno::AGAIN) if link.wait_for_room() => {}
                Err(error) => {
                    tracing::debug!(chardev = link.id, %error, "connection lost");
                    self.lose(&mut self.lock(), link);
                }
            }
        }
    }

    /// Waits until nothing waits for the peer, but not for long.
    pub(super) fn wait_empty(&self) {
        let waiting = |pending: &mut Pending| pending.sending && !pending.lost;
        drop(self.settled.wait_timeout_while(self.lock(), LINGER, waiting));
    }

    fn lose(&self, pending: &mut Pending, link: &Link) {
        pending.lost = true;
        link.cut();
        self.settled.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn send(&mut self, link: &Arc<Link>, mut bytes: &[u8]) -> io::Result<()> {
        while !self.sending && !bytes.is_empty() {
            match link.write_now(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(error.into()),
            }
        }
        if bytes.is_empty() {
            return Ok(());
        }
        if self.queue.len() > MOST {
            let problem = format!("the peer does not read, and {} MiB wait for it", MOST >> 20);
            return Err(io::Error::new(io::ErrorKind::TimedOut, problem));
        }
        self.queue.extend(bytes);
        if !self.sending {
            let sender = link.clone();
            let thread = thread::Builder::new().name("chardev sender".into());
            thread.spawn(move || sender.outbox.empty(&sender))?;
            self.sending = true;
        }
        Ok(())
    }
}
