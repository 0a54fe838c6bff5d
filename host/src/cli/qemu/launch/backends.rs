//! What the host has for the machine's devices.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::drives::Drives;
use super::firmware;
use crate::cli::Result;
use crate::cli::qemu::invocation::{Images, Invocation};
use crate::component::Files;
use crate::machine::file::MachineType;
use crate::machine::{Backends, Stream};

/// Opens all of it but the contents of ROMs, which the machine names.
pub(super) fn open(
    invocation: &Invocation,
    drives: &Drives,
    streams: BTreeMap<String, Arc<Stream>>,
) -> Backends {
    let drives = drives.open.clone();
    Backends { streams, drives, roms: BTreeMap::new(), files: files(&invocation.files) }
}

fn files(given: &BTreeMap<String, Vec<u8>>) -> Files {
    given.iter().map(|(name, data)| (name.clone(), data.as_slice().into())).collect()
}

/// Reads the files of the machine's ROMs. One that is not there leaves its ROM empty.
pub(super) fn roms(
    program: &str,
    machine: &MachineType,
    images: &Images,
) -> Result<BTreeMap<String, Arc<[u8]>>> {
    let mut roms = BTreeMap::new();
    for rom in machine.devices.iter().flat_map(|device| device.roms.values()) {
        match firmware::find(rom.value.as_ref(), &images.directories) {
            Some(path) => {
                roms.insert(rom.value.clone(), std::fs::read(&path)?.into());
            }
            None => eprintln!("{program}: warning: failed to find romfile \"{}\"", rom.value),
        }
    }
    Ok(roms)
}
