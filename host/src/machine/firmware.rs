//! What the host does in firmware's place, where a kernel starts without it.

use super::Machine;
use super::plan::Planned;
use crate::component::Effects;

/// The slot of the device that has files for firmware.
pub(super) fn slot_with_files(devices: &[Planned]) -> Option<usize> {
    devices.iter().position(|device| device.image.exports().contains("firmware-files"))
}

impl Machine {
    /// A file that a device has for firmware, of at most `most` bytes.
    #[must_use]
    pub fn read_firmware_file(&self, name: &str, most: u32) -> Option<Vec<u8>> {
        let mut effects = Effects::new();
        let slot = self.slots.get(self.firmware_files?)?;
        let contents = slot.read_firmware_file(name, most, &mut effects);
        self.apply(&mut effects);
        contents
    }

    /// Overwrites a part of such a file. Returns whether the device let it.
    #[must_use]
    pub fn write_firmware_file(&self, name: &str, offset: u32, data: &[u8]) -> bool {
        let mut effects = Effects::new();
        let slot = self.firmware_files.and_then(|slot| self.slots.get(slot));
        let written =
            slot.is_some_and(|slot| slot.write_firmware_file(name, offset, data, &mut effects));
        self.apply(&mut effects);
        written
    }

    /// Programs the devices as firmware does before it starts a kernel: the machine
    /// file's `without-firmware`.
    pub fn program_without_firmware(&self) {
        let mut effects = Effects::new();
        for write in &self.without_firmware {
            self.port_write(write.port, write.size, write.value.into(), &mut effects);
        }
    }
}
