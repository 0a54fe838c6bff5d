//! Character devices (QEMU's `qapi/char.json`).

use serde::Serialize;

use crate::control::qmp::{Call, Error, NoArguments, Registry};

pub(super) fn register(registry: &mut Registry) {
    registry.add("query-chardev", query_chardev);
}

/// A character device as `query-chardev` lists it (`ChardevInfo`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Chardev {
    /// Whether what it is attached to wants to use it.
    pub frontend_open: bool,
    /// What it is connected to, as QEMU names that.
    pub filename: String,
    /// Its name.
    pub label: String,
}

fn query_chardev(call: &Call<'_>, _: NoArguments) -> Result<Vec<Chardev>, Error> {
    Ok((call.setup().chardevs)())
}
