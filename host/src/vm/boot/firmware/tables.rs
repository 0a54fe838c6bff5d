//! The ACPI tables.

use super::script::{self, Loaded, Wanted};
use super::{FirmwareFiles, Zone};
use crate::vm::Error;
use crate::vm::boot::place::Place;

/// The file with the script, and its greatest length: QEMU's.
const SCRIPT: &str = "etc/table-loader";
const LONGEST_SCRIPT: u32 = 256 << 10;

/// What the root pointer begins with, at a multiple of 16 (ACPI 5.2.5.3).
const SIGNATURE: &[u8] = b"RSD PTR ";

/// Loads the tables as the script says; returns the root pointer's address. None: the
/// machine has no script, or loads no root pointer.
pub(super) fn put(files: &dyn FirmwareFiles, place: &mut Place<'_>) -> Result<Option<u64>, Error> {
    let Some(script) = files.read(SCRIPT, LONGEST_SCRIPT) else { return Ok(None) };
    let wrong = |problem| Error::FirmwareFile { file: SCRIPT.to_owned(), problem };
    let mut allocate = |wanted: Wanted<'_>| {
        let Wanted { name, length, alignment, zone } = wanted;
        match zone {
            Zone::High => place.reserve_high(name, length, alignment),
            Zone::Bios => place.reserve_bios(name, length, alignment),
        }
    };
    let loaded = script::run(&script, files, &mut allocate).map_err(wrong)?;
    for Loaded { address, bytes, .. } in &loaded {
        place.fill(*address, bytes).map_err(wrong)?;
    }
    Ok(loaded.iter().find(|file| file.bytes.starts_with(SIGNATURE)).map(|file| file.address))
}
