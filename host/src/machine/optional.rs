//! The devices a machine could have besides those it has.

use super::Machine;
use super::plan::Planned;
use crate::component::Property;
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
        let property = |given: &GivenProperty| Property {
            name: given.name.clone(),
            value: given.value.clone(),
        };
        let properties = self.properties.iter().map(property).collect();
        let instance = self.image.instantiate_alone(&self.entry.id, properties);
        let state = instance.ok().and_then(|mut instance| instance.describe_state().ok());
        state.is_some_and(|state| state.sections.iter().any(|saved| saved.name == section))
    }
}
