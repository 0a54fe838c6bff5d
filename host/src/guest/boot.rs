//! What a guest boots.

use crate::vm::boot::{self, Entry, Kernel};
use crate::vm::{Error, Memory, Rom};

/// What the boot processor starts with.
pub enum Boot {
    /// Firmware, at the reset vector.
    Firmware(Rom),
    /// A kernel image, without firmware.
    Kernel(Kernel),
}

impl Boot {
    pub(super) const fn rom(&self) -> Option<&Rom> {
        match self {
            Self::Firmware(rom) => Some(rom),
            Self::Kernel(_) => None,
        }
    }

    /// Puts the image into memory and says where the boot processor starts.
    pub(super) fn load(&self, memory: &Memory) -> Result<Entry, Error> {
        match self {
            // The firmware is a ROM and is in place.
            Self::Firmware(_) => Ok(Entry::power_on()),
            Self::Kernel(kernel) => boot::load(kernel, memory),
        }
    }
}
