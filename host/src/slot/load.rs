//! Loads a saved state into a slot, in two steps: whoever loads several slots
//! takes the second step only when the first has succeeded in all of them.

use std::sync::Arc;

use super::{Plugged, Slot};
use crate::component::{
    Effects, Error, Fault, Image, Instance, Outputs, Recorded, Refusal, Scope, Section,
    StateDescription,
};

/// A device that holds a saved state and waits to take its slot.
pub struct Loaded {
    image: Image,
    instance: Instance,
    state: Arc<StateDescription>,
}

/// Why a state is not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The device cannot be plugged again.
    #[error("the device {0}")]
    Unusable(#[from] Error),
    /// The device failed on the state.
    #[error("the device fails on it: {0}")]
    Faulted(#[from] Fault),
    /// The device refuses the state.
    #[error("{}", .0.reason)]
    Refused(Refusal),
}

impl Slot {
    /// What the device says of its saved state.
    #[must_use]
    pub fn state_description(&self) -> Arc<StateDescription> {
        self.lock().state.clone()
    }

    /// What the device drives, or the slot in place of one that is out of service.
    #[must_use]
    pub fn outputs(&self) -> Outputs {
        self.lock().driven().0.clone()
    }

    /// Whether the device drives an output line high.
    #[must_use]
    pub fn drives(&self, line: u32) -> bool {
        let plugged = self.lock();
        plugged.driven().0.lines.get(line as usize).copied().unwrap_or(false)
    }

    /// Has a new instance of the slot's device take a saved state over, at time
    /// `now`. A section that is not there keeps its state after a reset. The
    /// device in the slot is not touched.
    ///
    /// # Errors
    /// The device does not take the state.
    pub fn load(&self, scope: Scope, sections: &[Section], now: u64) -> Result<Loaded, LoadError> {
        // Configured alike, it describes its state as the one in the slot does.
        let (image, state) = {
            let plugged = self.lock();
            (plugged.image.clone(), plugged.state.clone())
        };
        let mut instance = self.setting.configured(&image)?;
        instance.load(scope, sections, now)?.map_err(LoadError::Refused)?;
        Ok(Loaded { image, instance, state })
    }

    /// Puts a loaded device into the slot, in service again if it was not. It
    /// counts as told of no input line.
    pub fn install(&self, loaded: Loaded, effects: &mut Effects) {
        let Loaded { image, instance, state } = loaded;
        let mut plugged = self.lock();
        let old = self.put(&mut plugged, instance, state, effects);
        plugged.image = image;
        plugged.checkpoint = None;
        plugged.inputs.fill(false);
        drop(plugged);
        drop(old);
    }

    /// Counts the device as told of the level of an input line.
    pub fn count_as_told(&self, line: u32, level: bool) {
        self.lock().note_input(line, level);
    }

    /// Replaces the instance, and says in `effects` what it drives that the one
    /// before did not.
    pub(super) fn put(
        &self,
        plugged: &mut Plugged,
        mut new: Instance,
        state: Arc<StateDescription>,
        effects: &mut Effects,
    ) -> Option<Instance> {
        let (outputs, mut sequence) = plugged.driven();
        let before = effects.len();
        let outputs: Vec<_> = outputs.difference(new.outputs()).collect();
        for effect in outputs.into_iter().chain(new.take_over()) {
            sequence += 1;
            effects.push(Recorded { slot: self.id(), sequence, effect });
        }
        new.count_from(sequence);
        plugged.count_requests(self.id(), effects, before);
        plugged.state = state;
        plugged.fault = None;
        plugged.part_from_observers();
        let old = plugged.instance.replace(new);
        plugged.listen();
        if let Some(old) = &old {
            plugged.counts.add(old);
        }
        old
    }
}

impl Plugged {
    /// Notes the level of an input line.
    pub(super) fn note_input(&mut self, line: u32, level: bool) {
        if let Some(known) = self.inputs.get_mut(line as usize) {
            *known = level;
        }
    }

    /// What the slot drives, and the number of the last effect.
    pub(super) fn driven(&self) -> (&Outputs, u64) {
        match &self.instance {
            Some(instance) => (instance.outputs(), instance.sequence()),
            None => (&self.outputs, self.sequence),
        }
    }
}
