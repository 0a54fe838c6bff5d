//! `-global`.

use super::error::{Error, Problem};
use super::given::{Collected, Given};
use super::invocation::Global;
use super::value;
use crate::machine::file::MachineType;

/// QEMU's name of what saves and loads; its properties are the machine's here.
const MIGRATION: &str = "migration";

pub(super) fn global(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let text = given.text()?;
    if let Some(global) = short(text) {
        all.globals.push(global);
        return Ok(());
    }
    let list = given.known(all, None, &["driver", "property", "value"])?;
    let part = |key: &str| list.get(key).map(str::to_owned);
    let (Some(driver), Some(property), Some(value)) =
        (part("driver"), part("property"), part("value"))
    else {
        return Err(given.error("options 'driver', 'property', and 'value' are required"));
    };
    all.globals.push(Global { driver, property, value });
    Ok(())
}

/// `DRIVER.PROPERTY=VALUE`. Drivers have names without full stops.
fn short(text: &str) -> Option<Global> {
    let (name, value) = text.split_once('=')?;
    let (driver, property) = name.split_once('.')?;
    let inner = |text: &str| !text.is_empty() && !text.contains(['=', ',']);
    (inner(driver) && inner(property)).then(|| Global {
        driver: driver.into(),
        property: property.into(),
        value: value.into(),
    })
}

impl Global {
    /// That the property cannot be set, in QEMU's words.
    pub(super) fn error(&self, why: impl std::fmt::Display) -> Error {
        let Self { driver, property, value } = self;
        Error::new(format!("can't apply global {driver}.{property}={value}: {why}"))
    }
}

/// Sets what is the machine's, and passes over what is nobody's. Returns those
/// that are devices'.
pub(super) fn resolve(
    all: &mut Collected,
    machine: &mut MachineType,
) -> Result<Vec<Global>, Error> {
    let mut of_devices = Vec::new();
    for global in std::mem::take(&mut all.globals) {
        let Global { driver, property, value } = &global;
        if driver == MIGRATION {
            let missing = || {
                let missing = format!("Property '{driver}.{property}' not found");
                global.error(missing)
            };
            let flag = value::flag(property, value).map_err(|Problem { text, .. }| text);
            let setting = machine.migration.flag_mut(property).ok_or_else(missing)?;
            *setting = flag.map_err(|text| global.error(text))?;
        } else if machine.entries().any(|entry| entry.qemu.is(driver)) {
            of_devices.push(global);
        } else {
            let name = format!("{driver}.{property}");
            all.warnings.push(format!("warning: global {name} has invalid class name"));
        }
    }
    Ok(of_devices)
}
