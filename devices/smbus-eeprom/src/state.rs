//! The saved state, as QEMU has it.

use southbridge_sdk::state::{Condition, Fields, Sections, Shape};

use crate::SmbusEeprom;
use crate::eeprom::Eeprom;
use crate::target::{BUFFER, Mode, Target};

const SMBUS_EEPROM: Shape = Shape::new("smbus-eeprom", 1, 1);
const SMBUS_DEVICE: Shape = Shape::new("smbus-device", 1, 1);
const I2C_SLAVE: Shape = Shape::new("I2CSlave", 1, 1);

impl SmbusEeprom {
    pub(crate) fn declare(&mut self, sections: &mut Sections<'_>) {
        let Self { address, migrated, target, eeprom } = self;
        let used = eeprom.accessed || target.mode != Mode::Idle;
        let needed = Condition::new("accessed or busy, and smbus-migration", used && *migrated);
        sections.section(SMBUS_EEPROM, needed, |f| {
            f.structure("smbusdev", SMBUS_DEVICE, |f| transfer(f, *address, target));
            let Eeprom { data, offset, accessed } = eeprom;
            f.u8s("data", data);
            f.u8("offset", offset);
            f.bool("accessed", accessed);
        });
    }
}

fn transfer(f: &mut Fields<'_>, own: u8, target: &mut Target) {
    let Target { mode, buffer, length } = target;
    f.structure("i2c", I2C_SLAVE, |f| {
        // QEMU would move the device; here its place is its slot's.
        let mut address = own;
        f.u8("address", &mut address);
        f.check(address == own, || format!("{address:#04x} found, {own:#04x} expected"));
    });
    let mut number = *mode as i32;
    f.i32("mode", &mut number);
    let known = Mode::from_number(number);
    f.check(known.is_some(), || format!("{number} found, -1 to 3 expected"));
    *mode = known.unwrap_or_default();
    let mut count = *length as i32;
    f.i32("data_len", &mut count);
    let fits = (0..=BUFFER as i32).contains(&count);
    f.check(fits, || format!("{count} found, 0 to {BUFFER} expected"));
    *length = if fits { count as usize } else { 0 };
    f.u8s("data_buf", buffer);
}
