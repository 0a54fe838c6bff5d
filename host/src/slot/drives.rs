//! What is in the drives of a device, and the requests to them.

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::input::Input;
use super::{Plugged, Slot};
use crate::component::{Effect, Effects, Failure, Fault, Instance, Medium, SlotId};

/// The medium in each drive of a device, in the order of its description.
#[derive(Default)]
pub struct Media(Mutex<Vec<Option<Medium>>>);

impl Media {
    /// These media.
    #[must_use]
    pub const fn new(media: Vec<Option<Medium>>) -> Self {
        Self(Mutex::new(media))
    }

    /// Tells a device that has just been configured what is in its drives.
    pub(super) fn tell(&self, device: &mut Instance) -> Result<(), Fault> {
        for (drive, medium) in (0..).zip(self.lock().iter()) {
            if medium.is_some() {
                device.medium_changed(drive, *medium, 0)?;
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Option<Medium>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// A medium has come or gone.
    pub fn medium_changed(&self, drive: u32, medium: Option<Medium>, effects: &mut Effects) {
        if let Some(known) = self.setting.media.lock().get_mut(drive as usize) {
            *known = medium;
        }
        self.tell(&Input::Medium { drive, medium }, effects);
    }

    /// A request to a drive has ended.
    pub fn completed(
        &self,
        drive: u32,
        tag: u32,
        outcome: &Result<Vec<u8>, Failure>,
        effects: &mut Effects,
    ) {
        let mut plugged = self.lock();
        let outcome = Cow::Borrowed(outcome);
        self.perform(&mut plugged, &Input::Completed { drive, tag, outcome }, effects);
        plugged.requests = plugged.requests.saturating_sub(1);
        if plugged.requests == 0 {
            self.idle.notify_all();
        }
    }

    /// Requests to drives have been taken away: they do not end.
    pub fn forget_requests(&self, count: usize) {
        let mut plugged = self.lock();
        plugged.requests = plugged.requests.saturating_sub(count);
        if plugged.requests == 0 {
            self.idle.notify_all();
        }
    }

    /// Locks the device when no request to its drives is on its way; locks it all the
    /// same, and returns how many there are, if that takes longer than `limit`.
    pub(super) fn lock_idle(&self, limit: Duration) -> (MutexGuard<'_, Plugged>, usize) {
        let end = Instant::now() + limit;
        let mut plugged = self.lock();
        while plugged.requests != 0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.idle.wait_timeout(plugged, left);
            plugged = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let requests = plugged.requests;
        (plugged, requests)
    }
}

impl Plugged {
    /// Counts the requests to drives among the effects of the device in `slot` from
    /// position `from` on.
    pub(super) fn count_requests(&mut self, slot: SlotId, effects: &Effects, from: usize) {
        let new = effects.iter().skip(from);
        let own = new.filter(|recorded| recorded.slot == slot);
        self.requests +=
            own.filter(|recorded| matches!(recorded.effect, Effect::Drive { .. })).count();
    }
}
