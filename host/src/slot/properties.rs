//! From the properties a machine sets to those a device declares.

use crate::component::{Property, PropertyDeclaration, PropertyValue};

/// A property that the machine sets.
#[derive(Clone, Debug)]
pub struct GivenProperty {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: PropertyValue,
}

/// A value for every declared property, in order. A version of a device may
/// declare fewer properties than another one, or give one another type: what
/// does not fit the declaration is left out.
pub(super) fn fill(declared: &[PropertyDeclaration], given: &[GivenProperty]) -> Vec<Property> {
    let value = |declaration: &PropertyDeclaration| {
        let fits = |given: &&GivenProperty| {
            let same = std::mem::discriminant(&given.value)
                == std::mem::discriminant(&declaration.default);
            given.name == declaration.name && same
        };
        let found = given.iter().find(fits);
        found.map_or_else(|| declaration.default.clone(), |given| given.value.clone())
    };
    let property = |declaration: &PropertyDeclaration| Property {
        name: declaration.name.clone(),
        value: value(declaration),
    };
    declared.iter().map(property).collect()
}
