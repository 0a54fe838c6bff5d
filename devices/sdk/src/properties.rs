//! The properties a device is configured with.

use crate::wit::{Property, PropertyValue};

/// The properties given to `configure`. The contract promises every declared
/// one, with the declared type; a device that asks for another has a mistake in
/// its own declaration, and says so instead of trapping.
pub struct Properties {
    properties: Vec<Property>,
}

impl Properties {
    /// Wraps what the host gave.
    #[must_use]
    pub fn new(properties: Vec<Property>) -> Self {
        Self { properties }
    }

    /// A property that is true or false.
    ///
    /// # Errors
    /// The property is not declared, or not as a flag.
    pub fn flag(&self, name: &str) -> Result<bool, String> {
        match self.value(name)? {
            PropertyValue::Flag(value) => Ok(*value),
            _ => Err(format!("property {name}: not a flag")),
        }
    }

    /// A property that is a number of type `T`.
    ///
    /// # Errors
    /// The property is not declared, not as a number, or its value does not fit
    /// a `T`.
    pub fn number<T: TryFrom<u64>>(&self, name: &str) -> Result<T, String> {
        match self.value(name)? {
            PropertyValue::Number(value) => T::try_from(*value).map_err(|_| {
                let bits = 8 * size_of::<T>();
                format!("property {name}: {value} is out of range, at most {bits} bits expected")
            }),
            _ => Err(format!("property {name}: not a number")),
        }
    }

    /// A property that is a text.
    ///
    /// # Errors
    /// The property is not declared, or not as a text.
    pub fn text(&self, name: &str) -> Result<&str, String> {
        match self.value(name)? {
            PropertyValue::Text(value) => Ok(value),
            _ => Err(format!("property {name}: not a text")),
        }
    }

    fn value(&self, name: &str) -> Result<&PropertyValue, String> {
        let found = self.properties.iter().find(|property| property.name == name);
        found.map(|property| &property.value).ok_or_else(|| format!("property {name}: not given"))
    }
}
