//! The devices a machine could have besides those it has.

use std::sync::Arc;

use super::Machine;
use super::plan::Planned;
use crate::component::{Environment, Limits, NoChildren, Property, SlotId};
use crate::slot::GivenProperty;

impl Machine {
    /// The optional device of the machine type that saves sections of this name,
    /// which a stream may precede with a path.
    pub(crate) fn optional_device(&self, section: &str) -> Option<String> {
        let device = self.optional.iter().find(|device| device.saves(section));
        device.map(|device| device.entry.id.clone())
    }
}

impl Planned {
    /// Only a configured device tells; it is dropped again.
    fn saves(&self, section: &str) -> bool {
        let Self { entry, image, properties, grants } = self;
        let property = |given: &GivenProperty| Property {
            name: given.name.clone(),
            value: given.value.clone(),
        };
        let instance = image.instantiate(&Environment {
            slot: SlotId(0),
            name: entry.id.as_str().into(),
            grants: grants.clone(),
            properties: properties.iter().map(property).collect(),
            children: Arc::new(NoChildren),
            limits: Limits::default(),
        });
        let state = instance.ok().and_then(|mut instance| instance.describe_state().ok());
        state.is_some_and(|state| state.sections.iter().any(|saved| saved.name == section))
    }
}
