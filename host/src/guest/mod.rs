//! A guest: a machine's devices, and processors that run on them.
//!
//! [`Guest::start`] puts both together and [`Guest::run`] lives through what
//! the guest does to itself: resets, suspends, switches itself off. What whoever
//! controls it wants of it besides, [`Guest`] does on any thread.
//!
//! The states of a guest and the ways between them are QEMU's ([`RunState`]).

mod board;
mod boot;
mod error;
mod event;
mod inbox;
mod kvm;
mod lifecycle;
mod policy;
mod processors;
mod state;
#[cfg(test)]
mod tests;
mod transfer;

use std::sync::{Arc, Mutex};

use crate::machine::{Backends, Machine, Plan};
use crate::migrate::Blocks;
use crate::vm::{InterruptController, RamLayout};

pub use boot::Boot;
pub use error::{Error, Refused};
pub use event::{Cause, Event, Listener};
pub use inbox::{Inbox, Post};
pub use lifecycle::Outcome;
pub use policy::{Policy, Start};
pub use processors::Processors;
pub use state::RunState;
pub use transfer::HandOver;

use event::Listeners;
use kvm::Kvm;
use lifecycle::Life;

/// What a guest on KVM is started with, besides its machine's devices.
pub struct Setup {
    /// Processors, 1 to 8.
    pub cpus: u32,
    /// How much RAM, and where.
    pub ram: RamLayout,
    /// Whether the kernel provides the interrupt controllers and the PIT.
    pub interrupts: InterruptController,
    /// What the boot processor starts with.
    pub boot: Boot,
    /// What the host has behind the machine's devices.
    pub backends: Backends,
}

/// A machine with processors, or with clients in their place. It stands still
/// until [`Guest::run`].
pub struct Guest {
    processors: Box<dyn Processors>,
    policy: Policy,
    post: Post,
    life: Mutex<Life>,
    listeners: Listeners,
}

impl Guest {
    /// Builds a planned machine with processors of KVM's, loads what it boots and
    /// stops before the first instruction.
    ///
    /// # Errors
    /// KVM or the host's memory is not available, a device cannot be plugged in,
    /// or the boot image is not bootable.
    pub fn start(plan: &Plan, policy: Policy, setup: Setup) -> Result<(Arc<Self>, Inbox), Error> {
        Self::with(policy, |post| Kvm::new(plan, setup, post))
    }

    /// A guest with other processors: those that `build` makes, which leave with
    /// the post what they and their devices ask for.
    ///
    /// # Errors
    /// Those of `build`.
    pub fn with<P: Processors + 'static, E>(
        policy: Policy,
        build: impl FnOnce(&Post) -> Result<P, E>,
    ) -> Result<(Arc<Self>, Inbox), E> {
        let (post, inbox) = Post::new();
        let guest = Self {
            processors: Box::new(build(&post)?),
            policy,
            post,
            life: Mutex::new(Life::new(policy.start)),
            listeners: Listeners::default(),
        };
        Ok((Arc::new(guest), inbox))
    }

    /// The machine's devices.
    #[must_use]
    pub fn machine(&self) -> &Arc<Machine> {
        self.processors.machine()
    }

    /// The guest's memory, by the names it has in a saved state.
    #[must_use]
    pub fn blocks(&self) -> &Arc<Blocks> {
        self.processors.blocks()
    }

    /// How many processors there are.
    #[must_use]
    pub fn cpus(&self) -> usize {
        self.machine().parameters().cpus as usize
    }

    /// The host's threads that run the processors, by their ids in the kernel: none
    /// if others take the processors' place.
    #[must_use]
    pub fn threads(&self) -> Vec<u32> {
        self.processors.threads()
    }

    /// The size of the firmware it starts with, in bytes; 0 if there is none.
    #[must_use]
    pub fn firmware_len(&self) -> u64 {
        self.processors.firmware_len()
    }

    /// How often all processors together have left the guest for an access to a
    /// device.
    #[must_use]
    pub fn exits(&self) -> u64 {
        self.processors.exits()
    }

    /// From now on tells `listener` what happens to the machine.
    pub fn listen(&self, listener: Listener) {
        self.listeners.add(listener);
    }
}
