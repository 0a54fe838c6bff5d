//! What whoever starts a machine decides about its life.

/// What a machine does at turning points of its life. By default it runs at once
/// and ends when the guest switches it off or cannot go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// How it begins.
    pub start: Start,
    /// Whether it stays, stopped, when the guest switches it off (QEMU's
    /// `-no-shutdown`).
    pub stays_when_off: bool,
    /// Whether it counts as switched off when the guest resets it (QEMU's
    /// `-no-reboot`).
    pub reset_is_shutdown: bool,
    /// Whether it stays, stopped, when a processor cannot go on, as in QEMU.
    pub stays_when_failed: bool,
}

/// How a machine begins its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// It runs.
    #[default]
    Running,
    /// It waits until somebody lets it run (QEMU's `-S`).
    Paused,
    /// It waits for its state, and then runs if it ran where it was saved.
    Incoming,
    /// It waits for its state, and then until somebody lets it run.
    IncomingPaused,
}

impl Start {
    pub(super) const fn is_incoming(self) -> bool {
        matches!(self, Self::Incoming | Self::IncomingPaused)
    }

    /// Whether it runs without being told.
    pub(super) const fn is_automatic(self) -> bool {
        matches!(self, Self::Running | Self::Incoming)
    }
}
