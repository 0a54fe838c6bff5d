//! Loading saved state into all devices, or none.

use std::sync::{Arc, MutexGuard, PoisonError};

use super::Machine;
use super::wiring::{Heard, Sink};
use crate::component::{Block, Effects, Scope, Section, SlotId, StateDescription};
use crate::slot::{LoadError, Loaded};

/// New instances of all devices that hold a saved state and wait to take their
/// slots. Dropped, it changes nothing.
pub struct Loading<'m> {
    machine: &'m Machine,
    scope: Scope,
    devices: Vec<Loaded>,
    now: u64,
    _exchanging: MutexGuard<'m, ()>,
}

/// An interrupt pin of a function on the root PCI bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The function's slot.
    pub slot: u8,
    /// The pin: 0 is INTA.
    pub pin: u8,
}

/// A device does not take the state it is given.
#[derive(Debug)]
pub struct NotLoaded {
    /// The slot's number: its position in [`Machine::status`].
    pub slot: usize,
    /// The slot's name.
    pub name: Arc<str>,
    /// Why not.
    pub error: LoadError,
}

impl Machine {
    /// Has new instances of all devices take saved states over, at time `now` in
    /// nanoseconds: first the sections of the first slot, and so on. The devices
    /// of the machine are not touched before [`Loading::finish`].
    ///
    /// # Errors
    /// All devices that do not take their state.
    pub fn load(
        &self,
        scope: Scope,
        states: &[Vec<Section>],
        now: u64,
    ) -> Result<Loading<'_>, Vec<NotLoaded>> {
        let exchanging = self.exchanging();
        let mut devices = Vec::with_capacity(self.slots.len());
        let mut refused = Vec::new();
        for (number, slot) in self.slots.iter().enumerate() {
            let sections = states.get(number).map_or(&[][..], Vec::as_slice);
            match slot.load(scope, sections, now) {
                Ok(loaded) => devices.push(loaded),
                Err(error) => {
                    refused.push(NotLoaded { slot: number, name: slot.name().clone(), error });
                }
            }
        }
        if refused.is_empty() {
            Ok(Loading { machine: self, scope, devices, now, _exchanging: exchanging })
        } else {
            Err(refused)
        }
    }

    /// For each slot its name, where it sits on PCI, and what its device says of
    /// its saved state.
    pub(crate) fn states(&self) -> Vec<(Arc<str>, Option<&str>, Arc<StateDescription>)> {
        let paths = self.paths.iter().map(Option::as_deref);
        let slots = self.slots.iter().zip(paths);
        slots.map(|(slot, path)| (slot.name().clone(), path, slot.state_description())).collect()
    }

    /// The blocks of memory that the slots keep for their devices.
    pub(crate) fn device_memories(&self) -> Vec<DeviceMemory<'_>> {
        let slots = self.slots.iter().zip(&self.planned).zip(&self.paths);
        let memories = slots.flat_map(|((slot, planned), path)| {
            let declared = (0..).zip(&planned.image.description().memories);
            declared.filter_map(move |(number, declared)| {
                Some(DeviceMemory {
                    slot: slot.name(),
                    path: path.as_deref(),
                    name: planned.entry.qemu.memory_name(&declared.name),
                    block: slot.block(number)?,
                })
            })
        });
        memories.collect()
    }

    /// The stream the devices were loaded from.
    pub(crate) fn origin(&self) -> Option<Arc<vmstate::Stream>> {
        self.origin.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A block of a slot's memory.
pub(crate) struct DeviceMemory<'m> {
    /// The slot's name.
    pub(crate) slot: &'m str,
    /// Where the slot sits on PCI.
    pub(crate) path: Option<&'m str>,
    /// QEMU's name of the block, if the machine file knows one.
    pub(crate) name: String,
    /// The memory.
    pub(crate) block: &'m Block,
}

impl Machine {
    /// Counts the inputs that an output leads to as told of its level.
    fn count_as_told(&self, slot: SlotId, line: u32, level: bool) {
        for sink in self.wires.of(slot, line) {
            if let Sink::Input { slot, line, told, .. } = sink {
                *told.lock() = Some(level);
                if let Some(slot) = self.by_id(*slot) {
                    slot.count_as_told(*line, level);
                }
            }
        }
    }
}

impl Loading<'_> {
    /// Puts the devices into their slots and sets the clock. The processors must
    /// be stopped, and the clock. `origin` is the stream it all came from; `held`
    /// are the interrupt pins that functions which are not there left high: they
    /// stay so until a reset.
    pub fn finish(self, origin: Option<Arc<vmstate::Stream>>, held: &[Pin]) {
        let Self { machine, scope, devices, now, _exchanging } = self;
        machine.clock.set(now);
        let mut effects = Effects::new();
        for (slot, device) in machine.slots.iter().zip(devices) {
            slot.install(device, &mut effects);
        }
        // Every device that can be told of a line is a loaded one by now. In
        // QEMU's stream only interrupt controllers know of any; in its whole state
        // each device knows the lines as they are.
        machine.slots.iter().for_each(|slot| machine.wires.forget(slot.id()));
        match scope {
            Scope::Stream => {
                machine.wires.let_hear(Heard::AtWires);
                machine.apply(&mut effects);
                machine.tell_inputs(&mut effects);
            }
            Scope::Whole => {
                machine.wires.let_hear(Heard::Nowhere);
                machine.apply(&mut effects);
                for (slot, line) in machine.wires.outputs() {
                    let level = machine.by_id(slot).is_some_and(|slot| slot.drives(line));
                    machine.count_as_told(slot, line, level);
                }
            }
        }
        for pin in held {
            if let Some((slot, line)) = machine.wires.root_pin(pin.slot, pin.pin)
                && let Some(slot) = machine.by_id(slot)
            {
                slot.line_changed(line, true, &mut effects);
                machine.apply(&mut effects);
            }
        }
        machine.wires.let_hear(Heard::Everywhere);
        if scope == Scope::Stream {
            machine.wires.forget_followers();
        }
        machine.timers.clock_changed();
        *machine.origin.lock().unwrap_or_else(PoisonError::into_inner) = origin;
    }
}
