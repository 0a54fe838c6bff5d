//! Reset, power events and saving, for all devices at once.

use std::sync::Arc;

use super::wiring::Sink;
use super::{Error, Machine};
use crate::component::{Effects, Property, Scope, Section, StateDescription, WakeupReason};
use crate::slot::Slot;

/// The saved state of the device in a slot.
#[derive(Clone, Debug)]
pub struct SavedSlot {
    /// The slot's name.
    pub slot: Arc<str>,
    /// The device's sections.
    pub sections: Vec<Section>,
}

/// What the device in a slot saves.
#[derive(Clone, Debug)]
pub struct DescribedSlot {
    /// The slot's name.
    pub slot: Arc<str>,
    /// The name the device has for itself.
    pub component: String,
    /// The values of its properties, which what it saves depends on.
    pub properties: Vec<Property>,
    /// Its sections, field by field.
    pub state: Arc<StateDescription>,
}

impl Machine {
    /// A system reset of all devices. The processors must be stopped.
    pub fn reset(&self) {
        self.drain();
        self.forget_held_requests();
        let mut effects = Effects::new();
        for slot in &self.reset_order {
            slot.reset(&mut effects);
            self.wires.forget(slot.id());
            self.apply(&mut effects);
        }
        self.wires.forget_interrupts();
    }

    /// Tells each input that counts as low, and is not, what its wire says. Those
    /// that follow interrupts have a state that knows.
    pub(super) fn tell_inputs(&self, effects: &mut Effects) {
        for (slot, line) in self.wires.outputs() {
            let Some(driven) = self.driven.get(slot.0 as usize) else { continue };
            let driven = driven.lock();
            let high = driven.lines.get(line as usize).is_some_and(|applied| applied.value);
            for sink in self.wires.of(slot, line) {
                if let Sink::Input { told, follows: false, .. } = sink
                    && high
                    && *told.lock() != Some(true)
                {
                    self.tell(sink, true, effects);
                }
            }
            drop(driven);
            self.apply(effects);
        }
    }

    /// The operator presses the power button.
    pub fn press_power_button(&self) {
        let mut effects = Effects::new();
        for slot in &self.slots {
            slot.button_pressed(&mut effects);
            self.apply(&mut effects);
        }
    }

    /// Tells the devices that the machine leaves S3.
    pub fn woken(&self, reason: WakeupReason) {
        let mut effects = Effects::new();
        for slot in &self.slots {
            slot.woken(reason, &mut effects);
            self.apply(&mut effects);
        }
    }

    /// What each device saves, in the order in which the machine file has them.
    #[must_use]
    pub fn describe_state(&self) -> Vec<DescribedSlot> {
        let describe = |slot: &Arc<Slot>| DescribedSlot {
            slot: slot.name().clone(),
            component: slot.image().description().name.clone(),
            properties: slot.properties(),
            state: slot.state_description(),
        };
        self.slots.iter().map(describe).collect()
    }

    /// Saves all devices, in the order in which the machine file has them. The
    /// processors must be stopped.
    ///
    /// # Errors
    /// A device is out of service, or fails while it is saved.
    pub fn save(&self, scope: Scope) -> Result<Vec<SavedSlot>, Error> {
        self.drain();
        let mut effects = Effects::new();
        let mut saved = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            let sections = slot.save(scope, &mut effects);
            self.apply(&mut effects);
            let name = slot.name().clone();
            let Some(sections) = sections else {
                let reason = "the device is out of service: it has no state".into();
                return Err(Error::State { slot: name, reason });
            };
            saved.push(SavedSlot { slot: name, sections });
        }
        Ok(saved)
    }
}
