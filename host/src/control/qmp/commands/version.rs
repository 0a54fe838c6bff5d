//! What this program is (QEMU's `qapi/control.json`).

use serde::Serialize;

use crate::control::qmp::{Call, Error, NoArguments, QEMU_VERSION, Registry};

pub(super) fn register(registry: &mut Registry) {
    registry.add("query-version", |_: &Call<'_>, _: NoArguments| Ok::<_, Error>(Version::own()));
}

/// The version of QEMU whose QMP this is, and what speaks it (`VersionInfo`).
#[derive(Serialize)]
pub(in super::super) struct Version {
    qemu: Triple,
    package: &'static str,
}

#[derive(Serialize)]
struct Triple {
    micro: u32,
    minor: u32,
    major: u32,
}

impl Version {
    pub(in super::super) const fn own() -> Self {
        let (major, minor, micro) = QEMU_VERSION;
        let package = concat!("southbridge ", env!("CARGO_PKG_VERSION"));
        Self { qemu: Triple { micro, minor, major }, package }
    }
}
