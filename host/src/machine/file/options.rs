//! What a command line changes of a machine type as a whole.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::{DeviceEntry, Error, MachineType, Origin, Parameter, Setting, Sourced, Value, names};

/// A property of a device of the machine, written `device.property`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyPath {
    /// The device's id.
    pub device: String,
    /// The property.
    pub property: String,
}

impl FromStr for PropertyPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = text.split_once('.').filter(|(id, name)| names::is_id(id) && !name.is_empty());
        let (device, property) =
            path.ok_or_else(|| format!("expected \"device.property\", found {text:?}"))?;
        Ok(Self { device: device.into(), property: property.into() })
    }
}

impl fmt::Display for PropertyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.device, self.property)
    }
}

impl Serialize for PropertyPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl MachineType {
    /// Has every property that would take the parameter from the machine take
    /// this value instead.
    pub fn fix(&mut self, parameter: Parameter, value: u64) {
        for device in self.devices.iter_mut().chain(&mut self.optional) {
            for setting in device.properties.values_mut() {
                if setting.value == Setting::Machine(parameter) {
                    setting.value = Setting::Fixed(Value::Number(value));
                }
            }
        }
    }

    /// Sets the device's property that an option of the machine stands for.
    /// Nothing happens if the machine has no such option, or the device is not
    /// there.
    pub fn set_option(&mut self, option: &str, value: Value, origin: Origin) {
        let Some(Sourced { value: path, .. }) = self.options.get(option).cloned() else { return };
        if let Some(device) = self.device_mut(&path.device) {
            let value = Setting::Fixed(value);
            device.properties.insert(path.property, Sourced { value, origin });
        }
    }

    /// Has a device, also an optional one, be another component, with the same
    /// properties: also those that the machine sets for all devices of the
    /// component it was. `origin` is what errors point at.
    ///
    /// # Errors
    ///
    /// There is no such device.
    pub fn replace(&mut self, id: &str, component: &str, origin: Origin) -> Result<(), Error> {
        let mut entries = self.devices.iter_mut().chain(&mut self.optional);
        let Some(entry) = entries.find(|entry| entry.id == id) else {
            let known: Vec<_> = self.entries().map(|entry| entry.id.as_str()).collect();
            return Err(origin.error(format!(
                "machine {} has no device {id:?}; it has {}",
                self.name,
                known.join(", ")
            )));
        };
        let compat = self.compat.get(&entry.component.value).cloned().unwrap_or_default();
        entry.compat = compat.into_iter().chain(std::mem::take(&mut entry.compat)).collect();
        entry.component = Sourced { value: component.into(), origin };
        // What is set for a component that no device is any more would be a
        // mistake in a machine file.
        let used: Vec<String> = self.entries().map(|entry| entry.component.value.clone()).collect();
        self.compat.retain(|component, _| used.contains(component));
        Ok(())
    }

    /// The devices, and then the optional ones.
    pub fn entries(&self) -> impl Iterator<Item = &DeviceEntry> {
        self.devices.iter().chain(&self.optional)
    }
}
