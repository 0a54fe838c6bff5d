//! How wide accesses meet the byte-wide registers of a channel. QEMU cuts an
//! access of two bytes in two as far as the block reaches; one of four bytes
//! meets no register. The data register, which takes both, comes before this.

/// Reads `size` bytes at `offset` of a block of `length` registers.
pub(crate) fn read(length: u64, offset: u64, size: u8, mut byte: impl FnMut(u64) -> u8) -> u64 {
    match size {
        1 => byte(offset).into(),
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
    if size > 2 {
        return;
    }
    byte(offset, value as u8);
    if size == 2 && offset + 1 < length {
        byte(offset + 1, (value >> 8) as u8);
    }
}
