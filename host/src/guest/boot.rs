//! What a guest boots.

use crate::machine::Machine;
use crate::vm::boot::{self, Entry, FirmwareFiles, Kernel};
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
    /// A kernel finds the machine as firmware would leave it.
    pub(super) fn load(&self, machine: &Machine, memory: &Memory) -> Result<Entry, Error> {
        match self {
            // The firmware is a ROM and is in place.
            Self::Firmware(_) => Ok(Entry::power_on()),
            Self::Kernel(kernel) => {
                let entry = boot::load(kernel, memory, machine)?;
                machine.program_without_firmware();
                Ok(entry)
            }
        }
    }
}

impl FirmwareFiles for Machine {
    fn read(&self, name: &str, most: u32) -> Option<Vec<u8>> {
        self.read_firmware_file(name, most)
    }

    fn write(&self, name: &str, offset: u32, bytes: &[u8]) -> bool {
        self.write_firmware_file(name, offset, bytes)
    }
}
