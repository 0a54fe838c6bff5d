//! Finds the firmware.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::cli::Result;
use crate::cli::qemu::invocation::Images;
use crate::vm::{Image, Rom};

/// What a PC of QEMU's starts with unless it is told otherwise.
const DEFAULT: &str = "bios-256k.bin";

/// Where distributions keep QEMU's firmware.
const DIRECTORIES: [&str; 4] =
    ["/usr/share/qemu", "/usr/share/seabios", "/usr/local/share/qemu", "/usr/share/qemu-firmware"];

/// Reads the firmware: the file that was named, or QEMU's default, where QEMU looks
/// for it: as it stands, in the directories that were given, in those of the system.
pub(super) fn load(images: &Images) -> Result<Rom> {
    let name = images.firmware.as_deref().unwrap_or_else(|| Path::new(DEFAULT));
    let path = find(name, &images.directories).ok_or_else(|| {
        anyhow!(
            "could not load PC BIOS '{}': there is no such file here or in {}; name one with -bios",
            name.display(),
            DIRECTORIES.join(", ")
        )
    })?;
    Ok(Rom::new(Image::read(&path)?)?)
}

pub(super) fn find(name: &Path, given: &[PathBuf]) -> Option<PathBuf> {
    let system = DIRECTORIES.iter().map(Path::new);
    let directories = given.iter().map(PathBuf::as_path).chain(system);
    let places = directories.map(|directory| directory.join(name));
    std::iter::once(name.to_owned()).chain(places).find(|path| path.is_file())
}
