//! What is in a slot and what has happened there, for people.

use std::sync::Arc;
use std::time::Duration;

use super::{CheckpointSummary, FaultRecord, Slot};
use crate::component::{Fault, Image, Instance};

/// What has happened in a slot since the machine was made, with whatever devices
/// were in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Reads by the guest that reached the device: one for each access to its
    /// ports, memory or configuration space, however many calls it is cut into.
    pub reads: u64,
    /// Writes by the guest, counted likewise.
    pub writes: u64,
    /// Calls into the device: parts of accesses, line changes, timers, transfers,
    /// resets and saves.
    pub calls: u64,
    /// Time of the calls on the host, with that of the devices on the device's
    /// buses, since it is measured; none if it is not.
    pub time: Option<Duration>,
    /// Replacements that succeeded.
    pub swaps: u64,
    /// Times a device that had failed was put back in service.
    pub restores: u64,
    /// Faults.
    pub faults: u64,
    /// Effects that named something undeclared.
    pub violations: u64,
    /// Messages to the log that were dropped, because there were too many.
    pub messages_dropped: u64,
}

impl Counts {
    /// Adds what an instance counts itself.
    pub(super) fn add(&mut self, instance: &Instance) {
        self.violations += instance.violations();
        self.messages_dropped += instance.messages_dropped();
    }
}

/// What is in a slot, for people.
#[derive(Clone, Debug)]
pub struct Status {
    /// The slot's name.
    pub name: Arc<str>,
    /// The image that is plugged.
    pub image: Image,
    /// Why the device is out of service, if it is.
    pub fault: Option<Fault>,
    /// How many of the device's regions are mapped.
    pub mapped: usize,
    /// The state that is kept, if there is one.
    pub checkpoint: Option<CheckpointSummary>,
    /// What has happened.
    pub counts: Counts,
}

impl Slot {
    /// What is in the slot.
    #[must_use]
    pub fn status(&self) -> Status {
        let plugged = self.lock();
        let mut counts = plugged.counts;
        if let Some(instance) = &plugged.instance {
            counts.add(instance);
        }
        Status {
            name: self.name().clone(),
            image: plugged.image.clone(),
            fault: plugged.fault.clone(),
            mapped: plugged.driven().0.regions.iter().flatten().count(),
            checkpoint: plugged.checkpoint.as_ref().map(|checkpoint| checkpoint.summary()),
            counts,
        }
    }

    /// What the first effect named of the device that is plugged, if one named
    /// something undeclared.
    #[must_use]
    pub fn undeclared(&self) -> Option<String> {
        self.lock().instance.as_ref()?.undeclared().map(str::to_owned)
    }

    /// The last faults, at most [`FAULTS_KEPT`](super::FAULTS_KEPT), the oldest
    /// first.
    #[must_use]
    pub fn faults(&self) -> Vec<Arc<FaultRecord>> {
        self.lock().faults.all()
    }

    /// The fault of that number, unless it was long ago.
    #[must_use]
    pub fn fault(&self, number: u64) -> Option<Arc<FaultRecord>> {
        self.lock().faults.find(number)
    }

    /// Measures from now on how long calls take, or does so no more.
    pub fn measure_time(&self, measure: bool) {
        let mut plugged = self.lock();
        let time = plugged.counts.time;
        plugged.counts.time = measure.then(|| time.unwrap_or_default());
    }
}
