//! How a device reaches the world outside its sandbox.

use core::ops::{Deref, DerefMut};

use crate::wit::Nanoseconds;

/// What a device reaches.
#[cfg(not(target_family = "wasm"))]
type Outside = dyn crate::Machine;
#[cfg(target_family = "wasm")]
type Outside = crate::component::Imports;

/// The circumstances of one call: the time, and the machine.
pub struct Context<'a> {
    /// The machine's virtual time in nanoseconds.
    pub now: Nanoseconds,
    machine: &'a mut Outside,
}

impl<'a> Context<'a> {
    /// A call at `now` on `machine`.
    pub fn new(now: Nanoseconds, machine: &'a mut Outside) -> Self {
        Self { now, machine }
    }
}

impl Deref for Context<'_> {
    type Target = Outside;

    fn deref(&self) -> &Self::Target {
        self.machine
    }
}

impl DerefMut for Context<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.machine
    }
}
