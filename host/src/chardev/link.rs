//! One connection: both its directions, and its end.

use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::sync::Arc;

use rustix::event::PollFlags;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, Shutdown, recvmsg, send,
    shutdown,
};

use super::outbox::Outbox;
use super::wait::{Over, look};

/// Descriptors that are taken from one message, as in QEMU (`TCP_MAX_FDS`). The
/// rest are closed.
const MOST_FDS: usize = 16;

/// What is written at once to something that may block. A pipe that can be
/// written to at all has room for so much (pipe(7), `PIPE_BUF`).
const AT_ONCE: usize = 4096;

/// What a connection is made of.
pub(super) enum Ends {
    /// A socket that blocks.
    Socket(OwnedFd),
    /// Files that are there for ever. The end of the input is not the end of the
    /// connection, and output waits for whoever takes it.
    Standing { input: Option<OwnedFd>, output: Option<OwnedFd> },
    /// Files that do not block, with somebody at the other end who comes and
    /// goes.
    Passing { input: OwnedFd, output: OwnedFd },
}

/// A connection. Its reader, its writers and whoever may end it share it.
pub(super) struct Link {
    /// The character device, for messages.
    pub(super) id: String,
    /// What QEMU calls a character device while it is connected so.
    pub(super) name: String,
    pub(super) over: Over,
    /// Nothing is received any more.
    deaf: Over,
    pub(super) outbox: Outbox,
    ends: Ends,
}

impl Link {
    pub(super) fn new(id: &str, name: String, ends: Ends) -> io::Result<Arc<Self>> {
        let (over, deaf, outbox) = (Over::new()?, Over::new()?, Outbox::default());
        Ok(Arc::new(Self { id: id.into(), name, over, deaf, outbox, ends }))
    }

    /// Waits for input. Nothing at the connection's end; descriptors that came
    /// along take the place of those that came before.
    pub(super) fn read(&self, buffer: &mut [u8], fds: &mut Vec<OwnedFd>) -> io::Result<usize> {
        if self.deaf.is_set() || buffer.is_empty() {
            return Ok(0);
        }
        match &self.ends {
            Ends::Socket(socket) => loop {
                match receive(socket, buffer, fds) {
                    Err(Errno::INTR) => {}
                    // Its other holder may have changed it.
                    Err(Errno::AGAIN) => drop(self.deaf.wait(socket, PollFlags::IN)?),
                    received => return Ok(received?),
                }
            },
            Ends::Standing { input, .. } => {
                if let Some(input) = input {
                    match self.read_file(input, buffer) {
                        Ok(0) => {}
                        Ok(count) => return Ok(count),
                        Err(error) => tracing::warn!(chardev = self.id, %error, "input is lost"),
                    }
                }
                self.wait_deaf()?;
                Ok(0)
            }
            Ends::Passing { input, .. } => match self.read_file(input, buffer) {
                // A pseudo-terminal that nobody has open any more (pty(7)).
                Err(Errno::IO) => Ok(0),
                read => Ok(read?),
            },
        }
    }

    fn read_file(&self, input: &OwnedFd, buffer: &mut [u8]) -> Result<usize, Errno> {
        loop {
            match self.deaf.wait(input, PollFlags::IN) {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(0),
                Err(error) => return Err(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
            }
            match rustix::io::read(input, &mut *buffer) {
                Err(Errno::INTR | Errno::AGAIN) => {}
                read => return read,
            }
        }
    }

    /// Waits for the connection's end and drops what is received until then.
    /// Nothing is read from files, which others may want to read.
    pub(super) fn ignore(&self) -> io::Result<()> {
        if matches!(self.ends, Ends::Standing { .. }) {
            return self.wait_deaf();
        }
        let mut dropped = [0; 4096];
        while self.read(&mut dropped, &mut Vec::new())? != 0 {}
        Ok(())
    }

    fn wait_deaf(&self) -> io::Result<()> {
        let none: [&OwnedFd; 0] = [];
        while !self.deaf.is_set() {
            self.deaf.wait_any(&none, PollFlags::empty(), None)?;
        }
        Ok(())
    }

    /// Whether nobody will send any more. Input may be waiting all the same.
    pub(super) fn is_peer_gone(&self) -> bool {
        let end = PollFlags::HUP | PollFlags::ERR;
        let ended = match &self.ends {
            Ends::Socket(socket) => look(socket, PollFlags::RDHUP),
            Ends::Standing { .. } => PollFlags::empty(),
            Ends::Passing { input, .. } => look(input, PollFlags::empty()),
        };
        self.deaf.is_set() || ended.intersects(end | PollFlags::RDHUP)
    }

    /// Sends all bytes, now or when there is room for them.
    ///
    /// # Errors
    /// The connection is over, or is ended because too much is waiting.
    pub(super) fn send(self: &Arc<Self>, bytes: &[u8]) -> io::Result<()> {
        match &self.ends {
            Ends::Standing { output: None, .. } => Ok(()),
            Ends::Standing { output: Some(output), .. } => {
                self.outbox.in_turn(self, || self.write_waiting(output, bytes))
            }
            Ends::Socket(_) | Ends::Passing { .. } => self.outbox.send(self, bytes),
        }
    }

    fn write_waiting(&self, output: &OwnedFd, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.over.wait(output, PollFlags::OUT)?.is_none() {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            match rustix::io::write(output, &bytes[..bytes.len().min(AT_ONCE)]) {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Writes what there is room for.
    pub(super) fn write_now(&self, bytes: &[u8]) -> Result<usize, Errno> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        loop {
            let written = match &self.ends {
                Ends::Socket(socket) => send(socket, bytes, flags),
                Ends::Passing { output, .. } => rustix::io::write(output, bytes),
                Ends::Standing { .. } => Ok(bytes.len()),
            };
            if written != Err(Errno::INTR) {
                return written;
            }
        }
    }

    /// Waits until there is room. False when there will never be.
    pub(super) fn wait_for_room(&self) -> bool {
        let output = match &self.ends {
            Ends::Socket(output) | Ends::Passing { output, .. } => output,
            Ends::Standing { .. } => return true,
        };
        let found = self.over.wait(output, PollFlags::OUT).ok().flatten();
        found.is_some_and(|found| found.contains(PollFlags::OUT))
    }

    /// Ends the input: whoever reads is at the end. Output goes on.
    pub(super) fn deafen(&self) {
        self.deaf.set();
        if let Ends::Socket(socket) = &self.ends {
            // The peer may have been faster.
            let _ = shutdown(socket, Shutdown::Read);
        }
    }

    /// Ends the connection, once what was sent is on its way; for a peer that
    /// does not take it there is little patience.
    pub(super) fn finish(&self) {
        if !matches!(self.ends, Ends::Standing { .. }) {
            self.outbox.wait_empty();
        }
        self.cut();
    }

    /// Ends the connection.
    pub(super) fn cut(&self) {
        self.over.set();
        self.deaf.set();
        if let Ends::Socket(socket) = &self.ends {
            // The peer may have been faster.
            let _ = shutdown(socket, Shutdown::Both);
        }
    }
}

fn receive(socket: &OwnedFd, buffer: &mut [u8], fds: &mut Vec<OwnedFd>) -> Result<usize, Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FDS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC;
    let received = recvmsg(socket, &mut [IoSliceMut::new(buffer)], &mut ancillary, flags)?;
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(files) = message {
            fds.clear();
            // The space is rounded up, and more may fit.
            fds.extend(files.take(MOST_FDS));
        }
    }
    Ok(received.bytes)
}
