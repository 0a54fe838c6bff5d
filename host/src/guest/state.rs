//! What a machine does, in QEMU's words.

use crate::migrate::RunStateName;

/// What a machine does (QEMU's `RunState`, as far as it occurs here).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunState {
    /// It has not started, or was reset while it stood still.
    #[default]
    Prelaunch,
    /// It waits for the state it is to start with.
    InMigrate,
    /// Processors and clock run.
    Running,
    /// Somebody has stopped processors and clock.
    Paused,
    /// Suspended to RAM: the processors stand still, the clock runs.
    Suspended,
    /// It has switched itself off, and whoever runs it wants to see that.
    Shutdown,
    /// It stands still while the last of its state is sent.
    FinishMigrate,
    /// Its state was sent: it lives on elsewhere.
    PostMigrate,
    /// A processor cannot go on.
    InternalError,
    /// A request to a drive has failed and is held until the machine continues.
    IoError,
    /// The guest says that it has crashed.
    GuestPanicked,
}

impl RunState {
    const ALL: [Self; 11] = [
        Self::Prelaunch,
        Self::InMigrate,
        Self::Running,
        Self::Paused,
        Self::Suspended,
        Self::Shutdown,
        Self::FinishMigrate,
        Self::PostMigrate,
        Self::InternalError,
        Self::IoError,
        Self::GuestPanicked,
    ];

    /// QEMU's name of it, in QMP and in saved state.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prelaunch => "prelaunch",
            Self::InMigrate => "inmigrate",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Suspended => "suspended",
            Self::Shutdown => "shutdown",
            Self::FinishMigrate => "finish-migrate",
            Self::PostMigrate => "postmigrate",
            Self::InternalError => "internal-error",
            Self::IoError => "io-error",
            Self::GuestPanicked => "guest-panicked",
        }
    }

    /// Whether only a reset lets the machine run again.
    pub(super) const fn needs_reset(self) -> bool {
        matches!(self, Self::Shutdown | Self::InternalError)
    }
}

/// What a machine did when it was saved. In those of QEMU's states that do not occur
/// here it stood still.
impl From<RunStateName> for RunState {
    fn from(saved: RunStateName) -> Self {
        let known = Self::ALL.into_iter().find(|state| state.name() == saved.name());
        known.unwrap_or(Self::Paused)
    }
}

impl From<RunState> for RunStateName {
    fn from(state: RunState) -> Self {
        // All are names of QEMU's.
        state.name().parse().unwrap_or(Self::PAUSED)
    }
}
