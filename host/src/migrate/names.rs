//! What the sections of a machine's devices are called in a stream.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::machine::Machine;

/// A section that a device of the machine saves.
pub(super) struct Name {
    /// The device's slot, by number and name.
    pub(super) slot: usize,
    pub(super) slot_name: Arc<str>,
    /// The name the device gives it.
    pub(super) kind: String,
    /// The name in a stream: with the device's path if it has one.
    pub(super) name: String,
    /// Which of several of the same name.
    pub(super) instance: u32,
    /// Whether the device saves it always.
    pub(super) always: bool,
}

/// All sections the devices of a machine may save, in the machine's order.
pub(super) struct Names(Vec<Name>);

impl Names {
    pub(super) fn of(machine: &Machine) -> Self {
        let mut names = Vec::new();
        // QEMU counts what it registers, saved or not.
        let mut instances: BTreeMap<String, u32> = BTreeMap::new();
        for (slot, (slot_name, path, state)) in machine.states().into_iter().enumerate() {
            for section in &state.sections {
                let name = match path.filter(|_| section.has_path) {
                    Some(path) => format!("{path}/{}", section.name),
                    None => section.name.clone(),
                };
                let next = instances.entry(name.clone()).or_default();
                let instance = *next;
                *next += 1;
                names.push(Name {
                    slot,
                    slot_name: slot_name.clone(),
                    kind: section.name.clone(),
                    name,
                    instance,
                    always: section.condition.is_none(),
                });
            }
        }
        Self(names)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Name> {
        self.0.iter()
    }

    /// Whose section this is; none if it is of no device of the machine.
    pub(super) fn find(&self, section: &vmstate::Section) -> Option<&Name> {
        self.0.iter().find(|name| name.is(section))
    }
}

impl Name {
    pub(super) fn is(&self, section: &vmstate::Section) -> bool {
        self.name == section.name && self.instance == section.instance
    }
}
