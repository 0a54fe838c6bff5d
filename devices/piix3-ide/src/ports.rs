//! How wide accesses meet the byte-wide registers of a channel. QEMU cuts an
//! access of two bytes in two as far as the block reaches; one of four bytes
//! meets no register but the data register at offset 0, and with no data to
//! move that reads as 0 in any width.

use crate::channel::DATA;

/// Reads `size` bytes at `offset` of a block of `length` registers.
pub(crate) fn read(length: u64, offset: u64, size: u8, mut byte: impl FnMut(u64) -> u8) -> u64 {
    match size {
        1 => byte(offset).into(),
        2 | 4 if is_data(length, offset) => 0,
        2 => {
            let low = byte(offset);
            let high = if offset + 1 < length { byte(offset + 1) } else { 0xff };
            u16::from_le_bytes([low, high]).into()
        }
        _ => u32::MAX.into(),
    }
}

/// Writes `size` bytes at `offset` of a block of `length` registers.
pub(crate) fn write(length: u64, offset: u64, size: u8, value: u64, mut byte: impl FnMut(u64, u8)) {
    match size {
        1 => byte(offset, value as u8),
        2 if !is_data(length, offset) => {
            byte(offset, value as u8);
            if offset + 1 < length {
                byte(offset + 1, (value >> 8) as u8);
            }
        }
        _ => {}
    }
}

/// Whether it is the data register of a command block.
const fn is_data(length: u64, offset: u64) -> bool {
    length > 1 && offset == DATA
}
