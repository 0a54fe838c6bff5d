//! A client's connection.

use std::collections::VecDeque;
use std::io::{self, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recvmsg, send};

/// Descriptors that are taken from one message (QEMU's `TCP_MAX_FDS`). The rest are
/// closed.
const MOST_FDS: usize = 16;

/// What may wait for a client that does not read, in bytes.
const MOST_WAITING: usize = 16 << 20;

/// How long a client whose connection is to end may take for what waits for it.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a client sends.
pub trait Input: Read {
    /// The descriptors that came with what was read last (`SCM_RIGHTS` of unix(7)).
    fn take_fds(&mut self) -> Vec<OwnedFd>;
}

/// The input of a Unix socket.
pub struct SocketInput {
    stream: UnixStream,
    fds: Vec<OwnedFd>,
}

impl SocketInput {
    /// What comes from the other end of a stream socket.
    #[must_use]
    pub const fn new(stream: UnixStream) -> Self {
        Self { stream, fds: Vec::new() }
    }
}

impl Input for SocketInput {
    fn take_fds(&mut self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.fds)
    }
}

impl Read for SocketInput {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FDS))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::CMSG_CLOEXEC;
        let mut buffers = [IoSliceMut::new(buffer)];
        let received = recvmsg(&self.stream, &mut buffers, &mut ancillary, flags)?;
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(fds) = message {
                self.fds = fds.collect();
            }
        }
        Ok(received.bytes)
    }
}

/// The output of a Unix socket. Writing never waits for the client: what it does not
/// take is kept for it and sent by a thread, and when 16 MiB are and there is more,
/// it loses its connection.
#[derive(Clone)]
pub struct SocketOutput(Arc<Shared>);

struct Shared {
    stream: UnixStream,
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    bytes: VecDeque<u8>,
    /// There is a thread that sends them.
    sending: bool,
    /// Something was lost, so the rest is of no use.
    failed: bool,
}

impl SocketOutput {
    /// What goes to the other end of a stream socket.
    #[must_use]
    pub fn new(stream: UnixStream) -> Self {
        let (waiting, changed) = (Mutex::default(), Condvar::new());
        Self(Arc::new(Shared { stream, waiting, changed }))
    }

    /// Gives the client a second to take what waits for it, and ends the
    /// connection.
    pub fn finish(&self) {
        let sending = |waiting: &mut Waiting| waiting.sending;
        let waiting = self.0.changed.wait_timeout_while(self.0.lock(), PATIENCE, sending);
        drop(waiting);
        self.0.end();
    }
}

impl Write for SocketOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut waiting = self.0.lock();
        if waiting.failed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let mut rest = bytes;
        if !waiting.sending {
            rest = &bytes[self.0.try_send(bytes)?..];
        }
        if waiting.bytes.len() + rest.len() > MOST_WAITING {
            waiting.failed = true;
            self.0.end();
            return Err(io::ErrorKind::TimedOut.into());
        }
        waiting.bytes.extend(rest);
        if !waiting.bytes.is_empty() && !waiting.sending {
            let shared = self.0.clone();
            thread::Builder::new().name("control output".into()).spawn(move || shared.drain())?;
            waiting.sending = true;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    /// Sends what the client takes at once.
    fn try_send(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut sent = 0;
        while sent < bytes.len() {
            match send(&self.stream, &bytes[sent..], SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(count) => sent += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(sent)
    }

    /// Sends what waits, as the client takes it.
    fn drain(&self) {
        let mut waiting = self.lock();
        while !waiting.bytes.is_empty() && !waiting.failed {
            let length = waiting.bytes.len().min(64 << 10);
            let part: Vec<_> = waiting.bytes.drain(..length).collect();
            drop(waiting);
            let sent = (&self.stream).write_all(&part);
            waiting = self.lock();
            waiting.failed |= sent.is_err();
        }
        waiting.bytes = VecDeque::new();
        waiting.sending = false;
        self.changed.notify_all();
    }

    fn end(&self) {
        // One that is gone already needs nothing.
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
