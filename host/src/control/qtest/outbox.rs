//! What a client is to be told.

use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::request::PINS;

/// Room that is kept for replies, in bytes.
const KEPT: usize = 64 << 10;

/// How much may wait for a client that does not read, in bytes. The longest reply
/// is half of that.
const MOST: usize = 16 << 20;

/// Replies and interrupts for one client, in order.
///
/// Interrupts come from any thread. Those that come while a request is being
/// answered leave with the replies, before its own; others wake a thread that
/// sends them, so that no device waits for a client.
#[derive(Default)]
pub(super) struct Outbox {
    pending: Mutex<Pending>,
    /// There is something that no reply will take along, or the client is gone.
    ready: Condvar,
}

#[derive(Default)]
struct Pending {
    text: Vec<u8>,
    /// The levels the client has been told: low before the first change.
    levels: [bool; PINS],
    /// Requests are being answered.
    answering: bool,
    closed: bool,
}

impl Outbox {
    /// Notes a change of a line. As in QEMU a level that the client knows is no
    /// news.
    pub(super) fn interrupt(&self, pin: usize, level: bool) {
        let mut pending = self.lock();
        if pending.text.len() > MOST {
            pending.closed = true;
            self.ready.notify_all();
        }
        if pending.closed {
            return;
        }
        let Some(known) = pending.levels.get_mut(pin) else { return };
        if std::mem::replace(known, level) != level {
            let change = if level { "raise" } else { "lower" };
            // Writing to a vector cannot fail.
            let _ = writeln!(pending.text, "IRQ {change} {pin}");
            self.wake(&pending);
        }
    }

    /// Says that requests are being answered, until the next
    /// [`Output::answered`].
    pub(super) fn answering(&self) {
        self.lock().answering = true;
    }

    /// Appends a reply with `append`, and returns how much there is to send.
    pub(super) fn reply(&self, append: impl FnOnce(&mut Vec<u8>)) -> usize {
        let mut pending = self.lock();
        append(&mut pending.text);
        pending.text.len()
    }

    /// The client is gone.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }

    /// Waits until there is something that no reply will take along. False when
    /// the client is gone.
    fn wait(&self) -> bool {
        let waiting = |pending: &mut Pending| {
            !pending.closed && (pending.answering || pending.text.is_empty())
        };
        let pending = self.ready.wait_while(self.lock(), waiting);
        !pending.unwrap_or_else(PoisonError::into_inner).closed
    }

    fn wake(&self, pending: &Pending) {
        if !pending.answering && !pending.text.is_empty() {
            self.ready.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An outbox and the way to its client.
pub(super) struct Output<'a, W> {
    outbox: &'a Outbox,
    /// Taken before the outbox's lock, so that what was taken out first is sent
    /// first.
    sender: Mutex<Sender<W>>,
}

struct Sender<W> {
    writer: W,
    /// Changes places with the outbox's text.
    text: Vec<u8>,
}

impl<'a, W: Write> Output<'a, W> {
    pub(super) fn new(outbox: &'a Outbox, writer: W) -> Self {
        Self { outbox, sender: Mutex::new(Sender { writer, text: Vec::new() }) }
    }

    /// Sends all there is.
    pub(super) fn send(&self) -> io::Result<()> {
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let Sender { writer, text } = &mut *sender;
        let mut pending = self.outbox.lock();
        if pending.closed {
            // Something is missing from what there is.
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::mem::swap(text, &mut pending.text);
        drop(pending);
        let sent = if text.is_empty() {
            Ok(())
        } else {
            writer.write_all(text).and_then(|()| writer.flush())
        };
        text.clear();
        text.shrink_to(KEPT);
        sent
    }

    /// Sends all there is: no request is being answered any more.
    pub(super) fn answered(&self) -> io::Result<()> {
        self.send()?;
        let mut pending = self.outbox.lock();
        pending.answering = false;
        self.outbox.wake(&pending);
        Ok(())
    }

    /// Sends what no reply takes along, until the client is gone.
    pub(super) fn send_interrupts(&self) {
        // Whoever reads from the client ends the connection.
        while self.outbox.wait() && self.send().is_ok() {}
    }
}
