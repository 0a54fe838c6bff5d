//! ROMs in the host's memory.

use std::ops::Range;

use vm_memory::GuestMemoryRegion;
use vm_memory::{Bytes as _, GuestAddress, GuestMemoryBackend as _, GuestMemoryMmap};

use super::{FOUR_GIB, Rom};
use crate::vm::Error;

/// Where option ROMs would be. QEMU has a ROM here also if there are none, with
/// zeros in it (`pc.rom`).
pub const OPTION_ROMS: Range<u64> = 0xc_0000..0xe_0000;

/// The ROMs of a machine. The guest cannot write to them; the host can, as when it
/// loads the contents that another host's ROMs had.
#[derive(Clone)]
pub struct Roms {
    firmware: Option<GuestMemoryMmap>,
    options: GuestMemoryMmap,
}

impl Roms {
    /// Allocates the ROMs: the firmware with its image's content, and that of option
    /// ROMs with zeros.
    ///
    /// # Errors
    ///
    /// The host refuses the mapping.
    pub fn new(firmware: Option<&Rom>) -> Result<Self, Error> {
        let options = allocate(OPTION_ROMS.start, OPTION_ROMS.end - OPTION_ROMS.start)?;
        let firmware = firmware.map(|rom| {
            let bytes = rom.bytes();
            let (base, size) = (FOUR_GIB - bytes.len() as u64, bytes.len() as u64);
            let memory = allocate(base, size)?;
            let written = memory.write_slice(bytes, GuestAddress(base));
            let failed = |reason: String| Error::MapRam { size, reason };
            written.map_err(|error| failed(error.to_string())).map(|()| memory)
        });
        Ok(Self { firmware: firmware.transpose()?, options })
    }

    /// The firmware, at its addresses below 4 GiB.
    #[must_use]
    pub const fn firmware(&self) -> Option<&GuestMemoryMmap> {
        self.firmware.as_ref()
    }

    /// The size of the firmware in bytes; 0 if there is none.
    #[must_use]
    pub fn firmware_len(&self) -> u64 {
        self.firmware.iter().flat_map(GuestMemoryMmap::iter).map(GuestMemoryRegion::len).sum()
    }

    /// The ROM for option ROMs, at its addresses below 1 MiB.
    #[must_use]
    pub const fn options(&self) -> &GuestMemoryMmap {
        &self.options
    }
}

fn allocate(base: u64, size: u64) -> Result<GuestMemoryMmap, Error> {
    let failed = |reason: String| Error::MapRam { size, reason };
    let length = usize::try_from(size).map_err(|error| failed(error.to_string()))?;
    GuestMemoryMmap::from_ranges(&[(GuestAddress(base), length)])
        .map_err(|error| failed(error.to_string()))
}
