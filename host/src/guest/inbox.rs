//! What devices and processors ask of whoever runs the guest.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::Cause;
use crate::machine::{PowerEvent, PowerListener};
use crate::vm::{self, Held, Hold, VmEvent};

/// Something that whoever runs the guest has to see to.
#[derive(Debug)]
pub(super) enum Message {
    /// What a device asks for. The processors are held meanwhile, if there are any.
    Power(PowerEvent, Option<Held>),
    Vm(VmEvent),
    /// Somebody outside wants the guest to end.
    End(Cause),
    /// Somebody outside wants the guest to be switched off.
    Off(Cause),
    /// The guest cannot begin.
    Fail(String),
    /// Somebody waits until all that came before has been seen to.
    Settle(Sender<()>),
}

/// What happens in a guest, in order; for [`Guest::run`](super::Guest::run).
pub struct Inbox(pub(super) Receiver<Message>);

/// Where devices and processors leave what they ask for. They are built with it,
/// before there is a guest.
#[derive(Clone)]
pub struct Post(pub(super) Sender<Message>);

impl Post {
    pub(super) fn new() -> (Self, Inbox) {
        let (sender, receiver) = channel();
        (Self(sender), Inbox(receiver))
    }

    /// For [`Machine::build`](crate::machine::Machine::build). If there are processors,
    /// they do not run on before what a device asked for has been done, as in QEMU.
    #[must_use]
    pub fn power(&self, processors: Option<Hold>) -> PowerListener {
        let Self(sender) = self.clone();
        Arc::new(move |event| {
            let held = processors.as_ref().map(Hold::take);
            // Nobody receives any more when the guest is being taken down.
            drop(sender.send(Message::Power(event, held)));
        })
    }

    /// For [`Vm::start`](vm::Vm::start).
    #[must_use]
    pub fn vm(&self) -> vm::Listener {
        let Self(sender) = self.clone();
        Arc::new(move |event| drop(sender.send(Message::Vm(event))))
    }
}
