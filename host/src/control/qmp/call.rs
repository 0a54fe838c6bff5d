//! What a command has at hand while it is executed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fd::OwnedFd;

use super::core::Core;
use super::fdsets::Fdsets;
use super::migrations::Migrations;
use super::monitor::NamedFds;
use super::session::Session;
use super::{Access, Error, Events, Opened, Registry, Setup, files};
use crate::guest::Guest;
use crate::machine::Machine;

/// The execution of a command.
pub struct Call<'a> {
    pub(super) core: &'a Core,
    pub(super) session: &'a Session,
    names: &'a NamedFds,
    /// What the client sent along with the command, or before it.
    fd: Mutex<Option<OwnedFd>>,
}

/// The right to touch the machine. When it is given back, all is done that devices
/// and processors asked for meanwhile.
pub struct Turn<'a> {
    core: &'a Core,
    _turn: MutexGuard<'a, ()>,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        core: &'a Core,
        session: &'a Session,
        names: &'a NamedFds,
        fd: Option<OwnedFd>,
    ) -> Self {
        Self { core, session, names, fd: Mutex::new(fd) }
    }

    /// The guest.
    #[must_use]
    pub fn guest(&self) -> &'a Arc<Guest> {
        &self.core.setup.guest
    }

    /// The guest's machine.
    #[must_use]
    pub fn machine(&self) -> &'a Arc<Machine> {
        self.guest().machine()
    }

    /// What the machine's QMP was set up with.
    #[must_use]
    pub fn setup(&self) -> &'a Setup {
        &self.core.setup
    }

    /// The commands there are.
    #[must_use]
    pub fn registry(&self) -> &'a Registry {
        &self.core.registry
    }

    /// Where events are published.
    #[must_use]
    pub fn events(&self) -> &'a Arc<Events> {
        &self.core.events
    }

    /// Waits until no other command is executed. Only for a command that was
    /// registered with [`Registry::add_at_once`]: all others have their turn when
    /// they are called.
    #[must_use]
    pub fn turn(&self) -> Turn<'a> {
        Turn::take(self.core)
    }

    /// Opens a file by its name: `/dev/fdset/N` is one that a client sent.
    ///
    /// # Errors
    /// There is none, or not for this access. QEMU's words.
    pub fn open(&self, filename: &str, access: Access) -> Result<Opened, Error> {
        files::open(&self.core.fdsets, filename, access)
    }

    /// Takes a descriptor that the client has named with `getfd`.
    ///
    /// # Errors
    /// There is none of this name. QEMU's words.
    pub fn named_fd(&self, name: &str) -> Result<OwnedFd, Error> {
        self.names.take(name).ok_or_else(|| {
            Error::generic(format_args!("File descriptor named '{name}' has not been found"))
        })
    }

    pub(super) const fn names(&self) -> &'a NamedFds {
        self.names
    }

    pub(super) fn fdsets(&self) -> &'a Arc<Fdsets> {
        &self.core.fdsets
    }

    pub(super) fn migrations(&self) -> &'a Arc<Migrations> {
        &self.core.migrations
    }

    /// Takes the descriptor that the client sent along.
    pub(super) fn take_fd(&self) -> Result<OwnedFd, Error> {
        self.fd().take().ok_or_else(|| Error::generic("No file descriptor supplied via SCM_RIGHTS"))
    }

    /// Gives back to the client what the command did not take.
    pub(super) fn finish(self) {
        let fd = self.fd().take();
        if let Some(fd) = fd {
            self.session.give_back(fd);
        }
    }

    fn fd(&self) -> MutexGuard<'_, Option<OwnedFd>> {
        self.fd.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Turn<'a> {
    pub(super) fn take(core: &'a Core) -> Self {
        let turn = core.turn();
        core.setup.guest.settle();
        Self { core, _turn: turn }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.core.setup.guest.settle();
    }
}
