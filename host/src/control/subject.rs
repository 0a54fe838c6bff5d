//! What a control socket controls.

use std::sync::Arc;

use crate::guest::Guest;
use crate::machine::Machine;

/// A machine, with processors or without.
pub trait Subject: Send + Sync {
    /// The machine.
    fn machine(&self) -> &Arc<Machine>;

    /// Does something while the processors stand still.
    fn still(&self, action: &mut dyn FnMut(&Machine));
}

impl Subject for Guest {
    fn machine(&self) -> &Arc<Machine> {
        self.machine()
    }

    fn still(&self, action: &mut dyn FnMut(&Machine)) {
        self.still(action);
    }
}

/// A machine without processors always stands still.
impl Subject for Arc<Machine> {
    fn machine(&self) -> &Arc<Machine> {
        self
    }

    fn still(&self, action: &mut dyn FnMut(&Machine)) {
        action(self);
    }
}
