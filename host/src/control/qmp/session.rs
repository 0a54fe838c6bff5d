//! A client as others see it.

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fd::OwnedFd;

use super::json::Style;

/// A client: what was agreed with it, and the way to it.
pub(super) struct Session {
    pub(super) style: Style,
    state: Mutex<State>,
    output: Mutex<Output>,
}

struct State {
    /// None before capabilities are negotiated.
    capabilities: Option<Capabilities>,
    /// What the client sent along last, and no command has taken.
    fd: Option<OwnedFd>,
}

/// What a client has agreed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Capabilities {
    pub(super) out_of_band: bool,
}

struct Output {
    writer: Box<dyn Write + Send>,
    /// Something could not be sent, so nothing more is.
    failed: bool,
}

impl Session {
    pub(super) fn new(style: Style, writer: Box<dyn Write + Send>) -> Self {
        let state = State { capabilities: None, fd: None };
        let output = Output { writer, failed: false };
        Self { style, state: Mutex::new(state), output: Mutex::new(output) }
    }

    /// What was agreed, once something was.
    pub(super) fn capabilities(&self) -> Option<Capabilities> {
        self.state().capabilities
    }

    pub(super) fn agree(&self, capabilities: Capabilities) {
        self.state().capabilities = Some(capabilities);
    }

    pub(super) fn may_be_out_of_band(&self) -> bool {
        self.capabilities().is_some_and(|agreed| agreed.out_of_band)
    }

    pub(super) fn hears_events(&self) -> bool {
        self.capabilities().is_some()
    }

    /// Keeps the first of the descriptors that a client sent along, as QEMU does,
    /// in place of one that no command has taken.
    pub(super) fn receive(&self, fds: Vec<OwnedFd>) {
        if let Some(fd) = fds.into_iter().next() {
            self.state().fd = Some(fd);
        }
    }

    pub(super) fn take_fd(&self) -> Option<OwnedFd> {
        self.state().fd.take()
    }

    /// Gives a descriptor back that a command did not take.
    pub(super) fn give_back(&self, fd: OwnedFd) {
        self.state().fd.get_or_insert(fd);
    }

    /// Sends a reply, an event or the greeting. A client that cannot be sent one is
    /// not sent anything any more: its connection is about to end.
    pub(super) fn send(&self, text: &[u8]) {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        if output.failed {
            return;
        }
        let sent = output.writer.write_all(text).and_then(|()| output.writer.flush());
        if let Err(error) = sent {
            tracing::debug!(%error, "QMP client lost");
            output.failed = true;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
