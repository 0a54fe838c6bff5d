//! Devices of which a machine can have several, each with settings of its own:
//! the serial ports of a PC, say. An optional device lists them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{DeviceEntry, Error, MachineType, Origin, Setting, Sourced, Target};

/// What one of several such devices has and the others have not.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Choice {
    /// Properties.
    pub properties: BTreeMap<String, Sourced<Setting>>,
    /// Output line to what it drives.
    pub wires: BTreeMap<String, Sourced<Target>>,
    /// Character stream to the name of the host's stream it is connected to.
    pub streams: BTreeMap<String, Sourced<String>>,
    /// Where it is declared.
    #[serde(skip)]
    pub origin: Origin,
}

impl MachineType {
    /// The device of a template with the choice of that number, or the first that
    /// is free.
    pub(in crate::machine) fn chosen(
        &self,
        template: &DeviceEntry,
        number: Option<usize>,
    ) -> Result<DeviceEntry, Error> {
        let DeviceEntry { id, choices, origin, .. } = template;
        let choice = match number {
            Some(number) => choices.get(number).ok_or_else(|| match choices.len() {
                0 => origin.error(format!("{id:?} has no choice")),
                count => origin
                    .error(format!("{id:?} has no choice {number}: 0 to {} expected", count - 1)),
            })?,
            None => match choices.iter().find(|choice| !self.is_taken(choice)) {
                Some(choice) => choice,
                None if choices.is_empty() => return Ok(template.clone()),
                None => {
                    let count = choices.len();
                    return Err(origin.error(format!(
                        "all {count} choices of {id:?} are taken by other devices"
                    )));
                }
            },
        };
        Ok(template.with(choice))
    }

    /// Whether a device has one of these properties or streams.
    fn is_taken(&self, choice: &Choice) -> bool {
        self.devices.iter().any(|device| {
            let is_given = |(name, setting): (&String, &Sourced<Setting>)| {
                device.properties.get(name).is_some_and(|own| own.value == setting.value)
            };
            let is_connected = |stream: &Sourced<String>| {
                device.streams.values().any(|own| own.value == stream.value)
            };
            choice.properties.iter().any(is_given) || choice.streams.values().any(is_connected)
        })
    }
}

impl DeviceEntry {
    /// The device as it is with each of its choices, or as it is if it has none.
    pub(super) fn variants(&self) -> Vec<Self> {
        match self.choices.as_slice() {
            [] => vec![self.clone()],
            choices => choices.iter().map(|choice| self.with(choice)).collect(),
        }
    }

    fn with(&self, choice: &Choice) -> Self {
        let mut device = Self { choices: Vec::new(), ..self.clone() };
        device.properties.extend(choice.properties.clone());
        device.wires.extend(choice.wires.clone());
        device.streams.extend(choice.streams.clone());
        device
    }
}
