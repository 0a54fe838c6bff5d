//! Keeping the processors from running on until something has been seen to.

use std::fmt;
use std::sync::Arc;

use super::control::Control;

/// Holds processors, also from within a call of the [`Door`](super::Door). A processor
/// that asks for a reset or for an end must not execute what comes after it.
#[derive(Clone)]
pub struct Hold(pub(super) Arc<Control>);

impl Hold {
    /// From now on no processor executes another instruction until the result, and
    /// every other one that was taken, has been dropped. Does not wait for those that
    /// are in the guest at the moment; the caller's own is not.
    #[must_use]
    pub fn take(&self) -> Held {
        self.0.hold();
        Held(self.0.clone())
    }
}

/// Processors that are held.
pub struct Held(Arc<Control>);

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").finish_non_exhaustive()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.release();
    }
}
