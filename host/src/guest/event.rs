//! What happens to a machine, for those who watch it.

use std::sync::{Arc, Mutex, PoisonError};

/// Something that happened to a machine as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Processors and clock stand still.
    Stop,
    /// They run again.
    Resume,
    /// The machine was reset.
    Reset(Cause),
    /// The machine is about to end, or would if its policy were not to stay.
    Shutdown(Cause),
    /// The guest says that it has crashed.
    Panicked,
    /// The power button was pressed.
    PowerDown,
    /// The guest has suspended to RAM.
    Suspend,
    /// The guest has suspended to disk.
    SuspendDisk,
    /// The guest has left its suspended state.
    Wakeup,
}

/// Why a machine is reset or ends (QEMU's `ShutdownCause`, as far as it occurs
/// here).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A processor cannot go on.
    HostError,
    /// Whoever controls it wanted it to end.
    Quit,
    /// Whoever controls it wanted a reset.
    Asked,
    /// The process was to end.
    Signal,
    /// The guest switched the machine off.
    GuestShutdown,
    /// The guest reset the machine.
    GuestReset,
}

impl Cause {
    /// QEMU's name of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HostError => "host-error",
            Self::Quit => "host-qmp-quit",
            Self::Asked => "host-qmp-system-reset",
            Self::Signal => "host-signal",
            Self::GuestShutdown => "guest-shutdown",
            Self::GuestReset => "guest-reset",
        }
    }

    /// Whether the guest itself did it.
    #[must_use]
    pub const fn is_guest(self) -> bool {
        matches!(self, Self::GuestShutdown | Self::GuestReset)
    }
}

/// Who is told of events: called while the machine changes its state, on any
/// thread. It must not change the state itself.
pub type Listener = Arc<dyn Fn(Event) + Send + Sync>;

/// Those who are told.
#[derive(Default)]
pub(super) struct Listeners(Mutex<Vec<Listener>>);

impl Listeners {
    pub(super) fn add(&self, listener: Listener) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    pub(super) fn tell(&self, event: Event) {
        tracing::debug!(?event, "machine");
        let listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.iter().for_each(|listener| listener(event));
    }
}
