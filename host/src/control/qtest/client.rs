//! A conversation with one client.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::thread;

use super::Qtest;
use super::lines::{Line, Lines};
use super::outbox::{Outbox, Output};
use super::reply::Reply;
use super::request::{LARGEST_DATA, Problem};
use crate::component::Engine;

/// The longest line a client may send, in bytes: room for the longest data in
/// hexadecimal.
pub(super) const LONGEST_LINE: usize = 2 * LARGEST_DATA as usize + 256;

/// How much is to be sent at once at least, in bytes, when a client sends many
/// requests without waiting.
const BATCH: usize = 16 << 10;

impl Qtest {
    /// Answers a client's requests until it is gone.
    ///
    /// `reader` and `writer` are the two directions of any character device, a
    /// socket for instance. Replies to requests that arrived together leave
    /// together. Interrupts that no request caused are sent at once, by a thread
    /// that lives as long as the call; the call therefore returns only when
    /// `writer` is not blocked.
    ///
    /// A machine may have several clients at the same time. Their requests are
    /// answered one after the other; each hears of all interrupts.
    ///
    /// # Errors
    /// Reading or writing failed, or the host refuses another thread.
    pub fn serve(&self, reader: impl Read, writer: impl Write + Send) -> io::Result<()> {
        Engine::prepare_thread();
        let client = Client::new(self);
        let output = Output::new(&client.outbox, writer);
        thread::scope(|scope| {
            // Ends the thread, however this scope is left.
            let _closing = Closing(&client.outbox);
            let interrupts = thread::Builder::new().name("qtest interrupts".into());
            interrupts.spawn_scoped(scope, || output.send_interrupts())?;
            self.converse(&mut Lines::new(reader, LONGEST_LINE), &client.outbox, &output)
        })
    }

    fn converse<W: Write>(
        &self,
        lines: &mut Lines<impl Read>,
        outbox: &Outbox,
        output: &Output<'_, W>,
    ) -> io::Result<()> {
        while lines.receive()? {
            outbox.answering();
            while let Some(line) = lines.next() {
                let tell = |reply: Reply<'_>| outbox.reply(|text| reply.append_to(text));
                let waiting = match line {
                    Line::Whole(line) => self.answer(line, tell),
                    Line::TooLong => tell(Reply::Refused(Problem::LineTooLong)),
                };
                if waiting >= BATCH {
                    output.send()?;
                }
            }
            output.answered()?;
        }
        Ok(())
    }
}

/// A client that hears of interrupts while this value lives.
struct Client<'a> {
    qtest: &'a Qtest,
    outbox: Arc<Outbox>,
}

impl<'a> Client<'a> {
    fn new(qtest: &'a Qtest) -> Self {
        let outbox = Arc::new(Outbox::default());
        qtest.board.interrupts.add(outbox.clone());
        Self { qtest, outbox }
    }
}

impl Drop for Client<'_> {
    fn drop(&mut self) {
        self.qtest.board.interrupts.remove(&self.outbox);
    }
}

struct Closing<'a>(&'a Outbox);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}
