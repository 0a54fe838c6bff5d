//! A conversation with a client.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::fd::OwnedFd;
use serde::Serialize;
use serde_json::{Map, Value};

use super::commands::version::Version;
use super::core::Core;
use super::json::{Reader, Style, write};
use super::registry::{Answer, Execution};
use super::request::Request;
use super::session::Session;
use super::{Call, Class, Error, Input};
use crate::component::Engine;

/// How much is received at once, in bytes.
const CHUNK: usize = 4096;

/// Commands that may wait for their turn while others of the same client are
/// executed out of band (QEMU's `QMP_REQ_QUEUE_LEN_MAX`).
const MOST_WAITING: usize = 8;

/// A machine's control, for one client after the other: what they name with
/// `getfd` stays from one to the next, as in QEMU.
pub struct Monitor {
    core: Arc<Core>,
    style: Style,
    names: NamedFds,
}

/// Descriptors that clients have named with `getfd`.
#[derive(Default)]
pub(super) struct NamedFds(Mutex<BTreeMap<String, OwnedFd>>);

impl NamedFds {
    /// Names a descriptor. Another one of this name is closed.
    pub(super) fn put(&self, name: String, fd: OwnedFd) {
        self.lock().insert(name, fd);
    }

    pub(super) fn take(&self, name: &str) -> Option<OwnedFd> {
        self.lock().remove(name)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, OwnedFd>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Serialize)]
struct Greeting {
    #[serde(rename = "QMP")]
    qmp: Hello,
}

#[derive(Serialize)]
struct Hello {
    version: Version,
    capabilities: [&'static str; 1],
}

/// A reply to what was not executed.
#[derive(Serialize)]
struct Refusal<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Value>,
    error: &'a Error,
}

/// A request, and the descriptor that came with it or before.
type Waiting = (Request, Option<OwnedFd>);

/// Greets a client: what speaks to it, and what can be agreed with it. A client that is
/// to wait for its machine need not wait for this.
///
/// # Errors
/// The client cannot be sent anything.
pub fn greet(style: Style, output: &mut impl Write) -> io::Result<()> {
    let hello = Hello { version: Version::own(), capabilities: ["oob"] };
    let mut text = Vec::new();
    write(&Greeting { qmp: hello }, style, &mut text);
    output.write_all(&text)?;
    output.flush()
}

impl Monitor {
    pub(super) fn new(core: Arc<Core>, style: Style) -> Self {
        Self { core, style, names: NamedFds::default() }
    }

    /// Serves a client until its input ends.
    ///
    /// `output` must take what it is given without waiting for the client, or fail.
    /// If it fails the client is not sent anything any more, and the input should
    /// end soon.
    ///
    /// # Errors
    /// The input fails, or the host refuses a thread.
    pub fn serve(&self, input: impl Input, output: impl Write + Send + 'static) -> io::Result<()> {
        let mut output = output;
        greet(self.style, &mut output)?;
        self.serve_greeted(input, output)
    }

    /// Serves a client that has been greeted, with [`greet`].
    ///
    /// # Errors
    /// As [`serve`](Self::serve).
    pub fn serve_greeted(
        &self,
        mut input: impl Input,
        output: impl Write + Send + 'static,
    ) -> io::Result<()> {
        Engine::prepare_thread();
        let session = Arc::new(Session::new(self.style, Box::new(output)));
        let conversation = Conversation::begin(self, session);
        thread::scope(|scope| {
            let (mut reader, mut chunk) = (Reader::new(), [0; CHUNK]);
            let mut queue: Option<SyncSender<Waiting>> = None;
            // Dropped before the queue, whose thread ends with it.
            let _ending = Ending(&conversation.over);
            loop {
                let received = match input.read(&mut chunk) {
                    Ok(0) => return Ok(()),
                    Ok(received) => received,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => return Err(error),
                };
                conversation.session.receive(input.take_fds());
                let mut bytes = &chunk[..received];
                while let Some(value) = reader.next(&mut bytes) {
                    let may_be_out_of_band = conversation.session.may_be_out_of_band();
                    let request = Request::new(value, may_be_out_of_band);
                    let fd = conversation.session.take_fd();
                    if request.out_of_band || !may_be_out_of_band {
                        conversation.answer(request, fd);
                        continue;
                    }
                    let queue = match &mut queue {
                        Some(queue) => queue,
                        none => {
                            let (sender, waiting) = sync_channel(MOST_WAITING);
                            let thread = thread::Builder::new().name("QMP commands".into());
                            let conversation = &conversation;
                            thread.spawn_scoped(scope, || conversation.answer_all(waiting))?;
                            none.insert(sender)
                        }
                    };
                    // Its thread receives until this end is gone.
                    let _ = queue.send((request, fd));
                }
            }
        })
    }
}

/// Says that a conversation is over, however that comes.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A client is there.
struct Conversation<'a> {
    monitor: &'a Monitor,
    session: Arc<Session>,
    /// The client is gone: what it still wanted is forgotten.
    over: AtomicBool,
}

impl<'a> Conversation<'a> {
    fn begin(monitor: &'a Monitor, session: Arc<Session>) -> Self {
        monitor.core.fdsets.monitor_opened();
        monitor.core.events.add(session.clone());
        Self { monitor, session, over: AtomicBool::new(false) }
    }

    fn answer_all(&self, waiting: Receiver<Waiting>) {
        Engine::prepare_thread();
        for (request, fd) in waiting {
            if !self.over.load(Ordering::Relaxed) {
                self.answer(request, fd);
            }
        }
    }

    /// Executes a request and sends the answer.
    fn answer(&self, request: Request, fd: Option<OwnedFd>) {
        let Request { id, out_of_band, command } = request;
        let call = Call::new(&self.monitor.core, &self.session, &self.monitor.names, fd);
        let id = id.as_ref();
        match command {
            Ok((name, arguments)) => self.execute(&call, &name, arguments, out_of_band, id),
            Err(error) => self.refuse(&error, id),
        }
        call.finish();
    }

    fn execute(
        &self,
        call: &Call<'_>,
        name: &str,
        arguments: Map<String, Value>,
        out_of_band: bool,
        id: Option<&Value>,
    ) {
        let core = &*self.monitor.core;
        let execution = match self.find(name, out_of_band) {
            Ok(execution) => execution,
            Err(error) => return self.refuse(&error, id),
        };
        tracing::debug!(command = name, out_of_band, "QMP");
        let run = || match core.registry.get(name) {
            Some(command) => command.run(call, arguments),
            None => Err(not_found(name)),
        };
        if out_of_band {
            return self.reply(run(), id);
        }
        match execution {
            Execution::AtOnce => self.reply(run(), id),
            Execution::InTurn | Execution::OutOfBand => {
                let _turn = core.turn();
                core.setup.guest.settle();
                let answer = run();
                // Events that the command leads to come before its answer, and
                // those of the next command after it.
                core.setup.guest.settle();
                self.reply(answer, id);
            }
        }
    }

    /// When a command is to be executed, if there is one of this name now.
    fn find(&self, name: &str, out_of_band: bool) -> Result<Execution, Error> {
        let negotiated = self.session.capabilities().is_some();
        if !negotiated && name != NEGOTIATION {
            let what = format_args!("Expecting capabilities negotiation with '{NEGOTIATION}'");
            return Err(Error::new(Class::CommandNotFound, what));
        }
        let command = self.monitor.core.registry.get(name).ok_or_else(|| not_found(name))?;
        if out_of_band && command.execution != Execution::OutOfBand {
            return Err(Error::generic(format_args!("The command {name} does not support OOB")));
        }
        if negotiated && name == NEGOTIATION {
            let what = "Capabilities negotiation is already complete, command ignored";
            return Err(Error::new(Class::CommandNotFound, what));
        }
        Ok(command.execution)
    }

    fn reply(&self, answer: Result<Box<dyn Answer>, Error>, id: Option<&Value>) {
        match answer {
            Ok(answer) => self.session.send(&answer.reply(id, self.session.style)),
            Err(error) => self.refuse(&error, id),
        }
    }

    fn refuse(&self, error: &Error, id: Option<&Value>) {
        self.send(&Refusal { id, error });
    }

    fn send(&self, value: &impl Serialize) {
        let mut text = Vec::new();
        write(value, self.session.style, &mut text);
        self.session.send(&text);
    }
}

impl Drop for Conversation<'_> {
    fn drop(&mut self) {
        self.monitor.core.events.remove(&self.session);
        self.monitor.core.fdsets.monitor_closed();
    }
}

/// The command that ends the negotiation.
const NEGOTIATION: &str = "qmp_capabilities";

fn not_found(name: &str) -> Error {
    let what = format_args!("The command {name} has not been found");
    Error::new(Class::CommandNotFound, what)
}
