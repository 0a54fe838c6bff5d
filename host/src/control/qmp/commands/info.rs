//! What the machine consists of (QEMU's `qapi/pci.json`, `machine.json` and `qom.json`).

use serde::Deserialize;
use serde_json::Value;

use crate::control::monitor::{self, MachineInfo, ObjectPropertyInfo, pci};
use crate::control::qmp::{Call, Class, Error, NoArguments, Registry};
use crate::machine::file::MachineTypes;

pub(super) fn register(registry: &mut Registry) {
    registry.add("query-pci", query_pci);
    registry.add("query-machines", query_machines);
    registry.add("qom-list", qom_list);
    registry.add("qom-get", qom_get);
}

/// The machine type of a command line that names none.
const DEFAULT: &str = "pc";

fn query_pci(call: &Call<'_>, _: NoArguments) -> Result<Vec<pci::BusInfo>, Error> {
    Ok(monitor::query_pci(call.machine()))
}

/// Of the program's own machine types.
fn query_machines(_: &Call<'_>, _: NoArguments) -> Result<Vec<MachineInfo>, Error> {
    let types = MachineTypes::builtin().map_err(Error::generic)?;
    Ok(monitor::query_machines(&types, DEFAULT))
}

#[derive(Deserialize)]
struct List {
    path: String,
}

fn qom_list(call: &Call<'_>, List { path }: List) -> Result<Vec<ObjectPropertyInfo>, Error> {
    Ok(monitor::qom_list(call.guest(), &path)?)
}

#[derive(Deserialize)]
struct Get {
    path: String,
    property: String,
}

fn qom_get(call: &Call<'_>, Get { path, property }: Get) -> Result<Value, Error> {
    Ok(monitor::qom_get(call.guest(), &path, &property)?)
}

impl From<monitor::Error> for Error {
    fn from(error: monitor::Error) -> Self {
        let class = match &error {
            monitor::Error::NoObject(_) => Class::DeviceNotFound,
            monitor::Error::Ambiguous(_) | monitor::Error::NoProperty { .. } => Class::GenericError,
        };
        Self::new(class, error)
    }
}
