//! What firmware leaves in memory for a kernel, where there is no firmware: the ACPI
//! tables and SMBIOS.
//!
//! Firmware is given files, and a script that says how to load the ACPI tables among
//! them. The host does that in its place. The files come from a device, which is not
//! trusted: whatever is wrong with them is an error that names the file.

mod script;
mod smbios;
mod tables;
#[cfg(test)]
mod tests;

use super::Error;
use super::place::Place;
use script::Zone;

/// The files a machine has for firmware.
pub trait FirmwareFiles {
    /// The contents of a file; none if there is no such file, or if it has more than
    /// `most` bytes.
    fn read(&self, name: &str, most: u32) -> Option<Vec<u8>>;

    /// Overwrites a part of a file; returns whether it could.
    fn write(&self, name: &str, offset: u32, bytes: &[u8]) -> bool;
}

/// No files: a machine that has nothing for firmware.
impl FirmwareFiles for () {
    fn read(&self, _name: &str, _most: u32) -> Option<Vec<u8>> {
        None
    }

    fn write(&self, _name: &str, _offset: u32, _bytes: &[u8]) -> bool {
        false
    }
}

/// What a kernel is told of what was left for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Left {
    /// The address of ACPI's root pointer (RSDP), or 0 if there are no tables.
    pub(super) root_pointer: u64,
}

/// Puts all there is into RAM that nothing has taken: so after what has its place by
/// itself, and before the memory map is made.
pub(super) fn leave(files: &dyn FirmwareFiles, place: &mut Place<'_>) -> Result<Left, Error> {
    let root_pointer = tables::put(files, place)?.unwrap_or(0);
    smbios::put(files, place)?;
    Ok(Left { root_pointer })
}
