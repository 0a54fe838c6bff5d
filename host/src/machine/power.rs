//! What devices ask of the machine's power.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::component::{Request, WakeupReason};

/// Something a device asked for. Whoever runs the machine does it, with the
/// processors stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerEvent {
    /// A change of the power state.
    Asked(Request),
    /// The end of the machine, with an exit status.
    Exit(u8),
    /// A request to a drive has failed and is held: the machine is to stop until the
    /// operator lets it continue.
    DriveFailed,
    /// A wake-up from S3, for a reason that is enabled.
    Wake(WakeupReason),
}

/// Who is told of power events: called while the device's call is applied, on a
/// processor's or the timers' thread. It must not pause or reset the machine
/// itself.
pub type PowerListener = Arc<dyn Fn(PowerEvent) + Send + Sync>;

/// Which reasons may wake the machine.
#[derive(Default)]
pub struct Wakeups {
    rtc: AtomicBool,
    pm_timer: AtomicBool,
}

impl Wakeups {
    pub(super) fn enable(&self, reason: WakeupReason, enabled: bool) {
        if let Some(flag) = self.flag(reason) {
            flag.store(enabled, Ordering::Relaxed);
        }
    }

    /// Whether a reason is enabled. Other reasons than the two that guests
    /// choose always are.
    #[must_use]
    pub fn is_enabled(&self, reason: WakeupReason) -> bool {
        self.flag(reason).is_none_or(|flag| flag.load(Ordering::Relaxed))
    }

    fn flag(&self, reason: WakeupReason) -> Option<&AtomicBool> {
        match reason {
            WakeupReason::Other => None,
            WakeupReason::Rtc => Some(&self.rtc),
            WakeupReason::PmTimer => Some(&self.pm_timer),
        }
    }
}
