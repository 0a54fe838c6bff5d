//! A 256-byte EEPROM on an SMBus, as QEMU's `smbus-eeprom`: what its pc machines
//! have at addresses 0x50 to 0x57, where memory modules would describe
//! themselves. It is blank.
//!
//! Modelled: every write transfer sets an offset with its first byte and stores
//! the others from there on; every read transfer reads on from the offset,
//! which wraps. As in QEMU, and unlike a real part, a system reset blanks it.

mod eeprom;
mod state;
mod target;
#[cfg(test)]
mod tests;

use southbridge_sdk::describe::{device, flag, number};
use southbridge_sdk::state::Sections;
use southbridge_sdk::wit::{Attachment, Description};
use southbridge_sdk::{Context, Device, I2cTarget, Properties};

use eeprom::Eeprom;
use target::{Direction, Target};

/// The device.
#[derive(Clone, Debug)]
pub struct SmbusEeprom {
    /// Saved, and not used otherwise: the bus does the addressing.
    address: u8,
    /// Whether QEMU saves the device: not on machines before 4.0.
    migrated: bool,
    target: Target,
    eeprom: Eeprom,
}

impl Device for SmbusEeprom {
    fn describe() -> Description {
        let summary = "256-byte EEPROM on an SMBus";
        Description {
            properties: vec![
                number("address", 0x50, "address on the bus, as saved"),
                flag("smbus-migration", true, "the device is saved, as from QEMU 4.0 on"),
            ],
            ..device("smbus-eeprom", env!("CARGO_PKG_VERSION"), summary, Attachment::I2c)
        }
    }

    fn configure(properties: &Properties, _cx: &mut Context<'_>) -> Result<Self, String> {
        let address = properties.number("address")?;
        if address >= 0x80 {
            return Err(format!("property address: {address:#04x}, at most 0x7f expected"));
        }
        let migrated = properties.flag("smbus-migration")?;
        Ok(Self { address, migrated, target: Target::default(), eeprom: Eeprom::default() })
    }

    /// QEMU resets the memory, and neither a transfer that is under way nor the
    /// mark that there has been one.
    fn reset(&mut self, _cx: &mut Context<'_>) {
        self.eeprom.reset();
    }

    fn io_read(&mut self, _cx: &mut Context<'_>, _region: u32, _offset: u64, _size: u8) -> u64 {
        u64::MAX
    }

    fn io_write(
        &mut self,
        _cx: &mut Context<'_>,
        _region: u32,
        _offset: u64,
        _size: u8,
        _value: u64,
    ) {
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        self.declare(sections);
    }

    fn loaded(&mut self, _cx: &mut Context<'_>) -> Result<(), String> {
        Ok(())
    }
}

impl I2cTarget for SmbusEeprom {
    fn start(&mut self, _cx: &mut Context<'_>, read: bool) -> bool {
        let direction = if read { Direction::Read } else { Direction::Write };
        if let Some(written) = self.target.start(direction) {
            self.eeprom.write(written);
        }
        true
    }

    fn send(&mut self, _cx: &mut Context<'_>, byte: u8) -> bool {
        self.target.send(byte);
        true
    }

    fn receive(&mut self, _cx: &mut Context<'_>) -> u8 {
        if self.target.reads() { self.eeprom.read() } else { 0xff }
    }

    fn nack(&mut self, _cx: &mut Context<'_>) {
        self.target.nack();
    }

    fn stop(&mut self, _cx: &mut Context<'_>) {
        if let Some(written) = self.target.stop() {
            self.eeprom.write(written);
        }
    }
}

southbridge_sdk::export!(SmbusEeprom, i2c_target);
