//! An invocation and the components there are: the machine with all that was
//! asked for.

use super::error::{Error, Problem};
use super::invocation::{Device, Global, Invocation, RtcClock};
use super::value;
use crate::component::PropertyValue;
use crate::library::{Library, is_file};
use crate::machine::file::{
    Address, Catalog as _, DeviceEntry, Kind, MachineType, Origin, Parameter, Setting, Sourced,
    Value,
};
use crate::machine::{Components, DeviceRequest};

impl Invocation {
    /// The machine to be planned: with the components and devices that were asked
    /// for, all properties set, and the time its clock starts at. Nothing is left
    /// to be requested of the plan.
    ///
    /// # Errors
    /// A device has no such property, or not with such a value, or there is no
    /// such component, or no room for the device.
    pub fn equip(&self, library: &Library) -> Result<MachineType, Error> {
        let mut machine = self.machine.clone();
        for (id, component) in &self.own.components {
            let origin = Origin::outside(&format!("-southbridge component={id}:{component}"), "");
            machine
                .replace(id, component, origin)
                .map_err(|error| Error::new(error.to_string()))?;
        }
        if let Some(second) = self.rtc.start() {
            machine.fix(Parameter::Time, second);
        }
        if self.rtc.clock != RtcClock::Host {
            machine.fix(Parameter::Clock, 0);
        }
        for global in &self.globals {
            apply_global(global, &mut machine, library)?;
        }
        let has_files = self.devices.iter().any(|device| is_file(&device.template));
        let components = has_files.then(|| Components::of(&machine, library)).transpose();
        let mut components = components.map_err(|error| Error::new(error.to_string()))?;
        for device in &self.devices {
            match &mut components {
                Some(components) if is_file(&device.template) => {
                    plug_file(device, &mut machine, components)?;
                }
                _ => self.plug(device, &mut machine, library)?,
            }
        }
        Ok(machine)
    }

    fn plug(
        &self,
        device: &Device,
        machine: &mut MachineType,
        library: &Library,
    ) -> Result<(), Error> {
        let Device { place, driver, template, choice, id, address, chardev, properties } = device;
        let at = |error: &dyn std::fmt::Display| Error::at(place, error);
        let entry = machine.plug(template, id, *choice).map_err(|error| at(&error))?;
        if let (Some(text), Some(place)) = (address, &mut entry.at) {
            let address: Address = text.parse().map_err(|problem: String| at(&problem))?;
            *place = Sourced {
                value: crate::machine::file::Place {
                    address: Some(address),
                    ..place.value.clone()
                },
                origin: Origin::outside(&device.place, "addr"),
            };
        }
        if let Some(chardev) = chardev {
            for stream in entry.streams.values_mut() {
                chardev.clone_into(&mut stream.value);
            }
        }
        let kinds = kinds(entry, library)?;
        let mut set = |name: &str, value: Value| {
            let origin = Origin::outside(place, name);
            let setting = Sourced { value: Setting::Fixed(value), origin };
            entry.properties.insert(name.to_owned(), setting);
        };
        // QEMU's defaults lie below `-global`, and that below what the option
        // itself says.
        let qemu = entry.qemu.clone();
        for (name, setting) in &qemu.properties {
            if let Setting::Fixed(value) = &setting.value {
                set(name, value.clone());
            }
        }
        for global in self.globals.iter().filter(|global| qemu.is(&global.driver)) {
            let Some((name, kind)) = find(&kinds, &global.property) else {
                return Err(global.error(missing(&global.driver, &global.property)));
            };
            let value = read(&global.property, kind, &global.value);
            set(name, value.map_err(|problem| global.error(problem.text))?);
        }
        for (property, text) in properties {
            let Some((name, kind)) = find(&kinds, property) else {
                return Err(at(&missing(driver, property)));
            };
            set(name, read(property, kind, text).map_err(|problem| problem.at(place))?);
        }
        Ok(())
    }
}

/// Plugs in a component that no machine file has.
fn plug_file(
    device: &Device,
    machine: &mut MachineType,
    components: &mut Components<'_>,
) -> Result<(), Error> {
    let Device { place, template, id, address, chardev, properties, .. } = device;
    let request = DeviceRequest {
        id: Some(id.clone()),
        address: address.clone(),
        settings: properties.clone(),
        ..DeviceRequest::new(template)
    };
    let plugged = request.plug(place, machine, components);
    plugged.map_err(|error| Error::new(error.to_string()))?;
    if let (Some(chardev), Some(entry)) = (chardev, machine.device_mut(id)) {
        let streams = components.component(template).map(|described| &described.streams);
        for stream in streams.into_iter().flatten() {
            let origin = Origin::outside(place, "chardev");
            let value = chardev.clone();
            entry.streams.insert(stream.clone(), Sourced { value, origin });
        }
    }
    Ok(())
}

fn missing(driver: &str, property: &str) -> String {
    format!("Property '{driver}.{property}' not found")
}

/// Sets a property of the machine's devices of a driver. Those that are asked for
/// get theirs when they are plugged.
fn apply_global(
    global: &Global,
    machine: &mut MachineType,
    library: &Library,
) -> Result<(), Error> {
    let (mut there, mut found) = (false, false);
    for entry in machine.devices.iter_mut().filter(|entry| entry.qemu.is(&global.driver)) {
        there = true;
        let kinds = kinds(entry, library)?;
        let Some((name, kind)) = find(&kinds, &global.property) else { continue };
        found = true;
        let value = read(&global.property, kind, &global.value);
        let value = Setting::Fixed(value.map_err(|problem| global.error(problem.text))?);
        let origin = Origin::outside("-global", &format!("{}.{name}", global.driver));
        entry.compat.insert(name.into(), Sourced { value, origin });
    }
    if there && !found {
        return Err(global.error(missing(&global.driver, &global.property)));
    }
    Ok(())
}

type Kinds = Vec<(String, Kind)>;

/// The properties of an entry's component.
fn kinds(entry: &DeviceEntry, library: &Library) -> Result<Kinds, Error> {
    let image = library.get(&entry.component.value);
    let image = image.map_err(|error| Error::new(format!("device {}: {error}", entry.id)))?;
    let properties = image.description().properties.iter();
    Ok(properties.map(|property| (property.name.clone(), kind(&property.default))).collect())
}

fn kind(value: &PropertyValue) -> Kind {
    match value {
        PropertyValue::Flag(_) => Kind::Flag,
        PropertyValue::Number(_) => Kind::Number,
        PropertyValue::Text(_) => Kind::Text,
    }
}

/// The component's name of a property and what it takes. QEMU writes some with
/// `_` where the contract has `-`.
fn find<'a>(kinds: &'a Kinds, property: &str) -> Option<(&'a str, Kind)> {
    let dashed = property.replace('_', "-");
    let named = |name: &str| kinds.iter().find(|(other, _)| other == name);
    let found = named(property).or_else(|| named(&dashed));
    found.map(|(name, kind)| (name.as_str(), *kind))
}

/// Reads a property's value. Some flags are numbers in QEMU.
fn read(property: &str, kind: Kind, text: &str) -> Result<Value, Problem> {
    match (kind, text) {
        (Kind::Flag, "0") => Ok(Value::Flag(false)),
        (Kind::Flag, "1") => Ok(Value::Flag(true)),
        (Kind::Flag, _) => value::flag(property, text).map(Value::Flag),
        (Kind::Number, _) => match value::number(property, text) {
            Ok(number) => Ok(Value::Number(number)),
            Err(_) => Err(format!("Parameter '{property}' expects uint64").into()),
        },
        (Kind::Text, _) => Ok(Value::Text(text.into())),
    }
}
