//! Reset and power events, for all devices at once.

use std::sync::atomic::Ordering;

use super::Machine;
use super::wiring::Sink;
use crate::component::{Effects, WakeupReason};

impl Machine {
    /// A system reset of all devices. The processors must be stopped.
    pub fn reset(&self) {
        let mut effects = Effects::new();
        for slot in &self.slots {
            slot.reset(&mut effects);
        }
        // Inputs count as low from here on; then each hears what its wire says.
        self.wires.forget();
        self.apply(&mut effects);
        for (slot, line) in self.wires.outputs() {
            let Some(driven) = self.driven.get(slot.0 as usize) else { continue };
            let driven = driven.lock();
            let high = driven.lines.get(line as usize).is_some_and(|applied| applied.value);
            for sink in self.wires.of(slot, line) {
                if let Sink::Input { told, .. } = sink
                    && high
                    && !told.load(Ordering::Relaxed)
                {
                    self.tell(sink, true, &mut effects);
                }
            }
            drop(driven);
            self.apply(&mut effects);
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
}
