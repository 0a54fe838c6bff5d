//! The registers in memory, behind the third base address.

use southbridge_sdk::Context;

use crate::Vga;
use crate::edid;

/// What is where.
enum Part {
    Edid(usize),
    /// A VGA port, from 0x3c0 on.
    Port(u16),
    /// A register of the display interface.
    Dispi(u16),
    /// Length of the extended registers.
    ExtendedSize,
    ByteOrder,
    Nothing,
}

/// Values of the byte order register.
const LITTLE: u64 = 0x1e1e_1e1e;
const BIG: u64 = 0xbebe_bebe;

/// Bytes of extended registers.
const EXTENDED_SIZE: u64 = 8;

impl Vga {
    fn part(&self, offset: u64) -> Part {
        match offset as u16 {
            at @ 0..edid::SIZE if self.options.edid => Part::Edid(at.into()),
            at @ 0x400..0x420 => Part::Port(0x3c0 + (at - 0x400)),
            at @ 0x500..0x516 => Part::Dispi((at - 0x500) >> 1),
            0x600..0x604 if self.options.extended => Part::ExtendedSize,
            0x604..0x608 if self.options.extended => Part::ByteOrder,
            _ => Part::Nothing,
        }
    }

    /// Reads 1, 2 or 4 bytes, aligned.
    pub(crate) fn mmio_read(&mut self, offset: u64, size: u8) -> u64 {
        match self.part(offset) {
            Part::Edid(at) => {
                join(size, 1, |i| edid::BYTES.get(at + i).map_or(0, |&byte| byte.into()))
            }
            Part::Port(port) => {
                join(size, 1, |i| self.core.port_read(port.wrapping_add(i as u16)).into())
            }
            Part::Dispi(register) => join(size, 2, |i| {
                self.core.dispi.index = register + i as u16;
                self.core.dispi.read()
            }),
            Part::ExtendedSize if size == 4 => EXTENDED_SIZE,
            Part::ByteOrder if size == 4 => {
                if self.core.big_endian {
                    BIG
                } else {
                    LITTLE
                }
            }
            Part::ExtendedSize | Part::ByteOrder => 0,
            Part::Nothing => u64::MAX,
        }
    }

    /// Writes 1, 2 or 4 bytes, aligned. A byte for the display interface is a
    /// whole register's value, as in QEMU.
    pub(crate) fn mmio_write(&mut self, cx: &mut Context<'_>, offset: u64, size: u8, value: u64) {
        match self.part(offset) {
            Part::Port(port) => {
                for (port, byte) in (port..).zip(value.to_le_bytes()).take(size.into()) {
                    self.core.port_write(port, byte);
                }
            }
            Part::Dispi(register) => {
                let words = [value as u16, (value >> 16) as u16];
                for (register, word) in (register..).zip(words).take(usize::from(size).div_ceil(2))
                {
                    self.core.dispi.index = register;
                    self.core.dispi_write(cx, word);
                }
            }
            Part::ByteOrder if size == 4 => match value {
                LITTLE => self.core.big_endian = false,
                BIG => self.core.big_endian = true,
                _ => {}
            },
            _ => {}
        }
    }

    /// Reads the ports of the display interface: index and data are 16 bits wide
    /// and there are no other widths.
    pub(crate) fn dispi_port_read(&self, offset: u64, size: u8) -> u64 {
        match (offset, size) {
            (0, 2) => self.core.dispi.index.into(),
            (1 | 2, 2) => self.core.dispi.read().into(),
            _ => u64::MAX,
        }
    }

    /// Writes the ports of the display interface.
    pub(crate) fn dispi_port_write(
        &mut self,
        cx: &mut Context<'_>,
        offset: u64,
        size: u8,
        value: u64,
    ) {
        match (offset, size) {
            (0, 2) => self.core.dispi.index = value as u16,
            (1 | 2, 2) => self.core.dispi_write(cx, value as u16),
            _ => {}
        }
    }
}

/// Puts together what is read `step` bytes at a time.
fn join(size: u8, step: u8, mut read: impl FnMut(usize) -> u16) -> u64 {
    let steps = size.div_ceil(step);
    (0..steps).fold(0, |value, i| value | u64::from(read(i.into())) << (8 * step * i))
}
