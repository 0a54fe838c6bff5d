//! A device's whole state, kept in its slot for the case that the device fails.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::swap::{Origin, Swapped};
use super::{Slot, SwapError};
use crate::component::{Effects, Fault, Image, Section, StateDescription};

/// A kept state.
pub(super) struct Checkpoint {
    pub(super) image: Image,
    pub(super) state: Arc<StateDescription>,
    pub(super) sections: Vec<Section>,
    /// The levels of the input lines, as far as the device had been told.
    pub(super) inputs: Vec<bool>,
    /// When it was taken.
    pub(super) time: u64,
}

/// What a kept state is, for people.
#[derive(Clone, Debug)]
pub struct CheckpointSummary {
    /// The device whose state it is.
    pub image: Image,
    /// The machine's clock when it was taken, in nanoseconds.
    pub time: u64,
    /// How many bytes the state has.
    pub bytes: usize,
}

/// Why a state is not kept.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// There is no state.
    #[error("the device is out of service: it has no state")]
    OutOfService,
    /// The device failed while it was saved; it is out of service now.
    #[error("the device failed: {0}")]
    Faulted(Fault),
}

impl Checkpoint {
    pub(super) fn summary(&self) -> CheckpointSummary {
        let bytes = self.sections.iter().map(|section| section.data.len()).sum();
        CheckpointSummary { image: self.image.clone(), time: self.time, bytes }
    }

    /// How old it is by the machine's clock.
    pub(super) fn age(&self, now: u64) -> Duration {
        Duration::from_nanos(now.saturating_sub(self.time))
    }
}

impl Slot {
    /// Keeps the device's whole state in place of the one kept before. A reset
    /// and a loaded state drop it: what was before is no state of this guest any
    /// more.
    ///
    /// # Errors
    /// The device has no state, or fails while it is saved; what was kept before
    /// stays.
    pub fn checkpoint(&self, effects: &mut Effects) -> Result<CheckpointSummary, CheckpointError> {
        let mut plugged = self.lock();
        let now = self.clock.now();
        let saved =
            self.save_whole(&mut plugged, now, effects).map_err(CheckpointError::Faulted)?;
        let sections = saved.ok_or(CheckpointError::OutOfService)?;
        plugged.take_effects(effects);
        let checkpoint = Checkpoint {
            image: plugged.image.clone(),
            state: plugged.state.clone(),
            sections,
            inputs: plugged.inputs.clone(),
            time: now,
        };
        let summary = checkpoint.summary();
        plugged.checkpoint = Some(Arc::new(checkpoint));
        Ok(summary)
    }

    /// Drops the state that is kept. Returns whether there was one.
    pub fn forget_checkpoint(&self) -> bool {
        self.lock().checkpoint.take().is_some()
    }

    /// Puts a device that has failed back in service, with the state that is
    /// kept.
    ///
    /// # Errors
    /// The device has not failed, no state is kept, or the device does not take
    /// it: all is as it was then.
    pub fn restore(&self, effects: &mut Effects) -> Result<Swapped, SwapError> {
        let image = {
            let plugged = self.lock();
            match (&plugged.instance, &plugged.checkpoint) {
                (Some(_), _) => return Err(SwapError::InService),
                (None, None) => return Err(SwapError::NoCheckpoint),
                (None, Some(_)) => plugged.image.clone(),
            }
        };
        let new = self.prepare(&image)?;
        let mut plugged = self.lock();
        let start = Instant::now();
        // Another one may have been faster.
        if plugged.instance.is_some() {
            return Err(SwapError::InService);
        }
        if plugged.checkpoint.is_none() {
            return Err(SwapError::NoCheckpoint);
        }
        let (origin, _) = self.seat(&mut plugged, new, effects)?;
        plugged.counts.restores += 1;
        drop(plugged);
        Ok(Swapped::new(image.clone(), image, start.elapsed(), origin))
    }
}

impl Swapped {
    pub(super) fn new(from: Image, to: Image, blackout: Duration, origin: Origin) -> Self {
        let (state_moved, checkpoint_age) = match origin {
            Origin::Old => (true, None),
            Origin::Checkpoint { age } => (false, Some(age)),
            Origin::Reset => (false, None),
        };
        Self { from, to, blackout, state_moved, checkpoint_age }
    }
}
