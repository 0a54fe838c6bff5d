//! The devices a machine could have besides those it has.

use std::sync::OnceLock;

use super::Machine;
use super::plan::Planned;
use crate::component::Property;
use crate::slot::GivenProperty;

impl Machine {
    /// The optional device of the machine type that saves sections of this name,
    /// which a stream may precede with a path; none if QEMU has one by default.
    pub(crate) fn optional_device(&self, section: &str) -> Option<String> {
        let asked_for = |device: &&Optional| !device.planned.entry.qemu.default;
        let mut devices = self.optional.iter().filter(asked_for);
        let device = devices.find(|device| device.sections().iter().any(|name| name == section));
        device.map(|device| device.planned.entry.id.clone())
    }
}

/// A device that the machine could have.
pub(super) struct Optional {
    planned: Planned,
    /// The names of the sections it would save, once somebody has asked.
    sections: OnceLock<Vec<String>>,
}

impl From<&Planned> for Optional {
    fn from(planned: &Planned) -> Self {
        Self { planned: planned.clone(), sections: OnceLock::new() }
    }
}

impl Optional {
    fn sections(&self) -> &[String] {
        self.sections.get_or_init(|| self.planned.sections())
    }
}

impl Planned {
    /// The names of the sections it saves; none if it cannot be plugged. Only a
    /// configured device tells; it is dropped again.
    fn sections(&self) -> Vec<String> {
        let property = |given: &GivenProperty| Property {
            name: given.name.clone(),
            value: given.value.clone(),
        };
        let properties = self.properties.iter().map(property).collect();
        let instance = self.image.instantiate_alone(&self.entry.id, properties);
        let state = instance.ok().and_then(|mut instance| instance.describe_state().ok());
        let sections = state.into_iter().flat_map(|state| state.sections);
        sections.map(|section| section.name).collect()
    }
}
