//! A block of registers: bytes with masks that say what a write may do to them.

/// `N` bytes of registers, little-endian, with a write mask and a
/// write-one-to-clear mask for each bit. A bit in neither mask is read-only to
/// the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registers<const N: usize> {
    value: [u8; N],
    writable: [u8; N],
    clear: [u8; N],
}

impl<const N: usize> Default for Registers<N> {
    fn default() -> Self {
        Self { value: [0; N], writable: [0; N], clear: [0; N] }
    }
}

impl<const N: usize> Registers<N> {
    /// Registers that are all zero and read-only.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets a guest write the bits of `mask`, the `size` bytes at `offset`.
    pub fn make_writable(&mut self, offset: usize, size: usize, mask: u64) {
        store(&mut self.writable, offset, size, mask);
    }

    /// Lets a guest clear the bits of `mask` by writing ones.
    pub fn make_clearable(&mut self, offset: usize, size: usize, mask: u64) {
        store(&mut self.clear, offset, size, mask);
    }

    /// The `size` bytes at `offset`, at most 8. What lies beyond the block reads
    /// as ones.
    #[must_use]
    pub fn get(&self, offset: usize, size: usize) -> u64 {
        let byte = |index: usize| u64::from(*self.value.get(offset + index).unwrap_or(&0xff));
        (0..size.min(8)).rev().fold(0, |value, index| value << 8 | byte(index))
    }

    /// Sets the `size` bytes at `offset` whatever the masks say: what the
    /// device itself does.
    pub fn set(&mut self, offset: usize, size: usize, value: u64) {
        store(&mut self.value, offset, size, value);
    }

    /// Writes as a guest does, under the masks.
    pub fn write(&mut self, offset: usize, size: usize, value: u64) {
        let bytes = value.to_le_bytes();
        for (index, &byte) in (offset..N).zip(bytes.iter().take(size)) {
            let writable = self.writable[index];
            let value = &mut self.value[index];
            *value = *value & !writable | byte & writable;
            *value &= !(byte & self.clear[index]);
        }
    }

    /// Clears every bit a guest can change in the `size` bytes at `offset`.
    pub fn clear_guest_bits(&mut self, offset: usize, size: usize) {
        for index in (offset..N).take(size) {
            self.value[index] &= !(self.writable[index] | self.clear[index]);
        }
    }

    /// The bits of the byte at `offset` that a guest can change. Beyond the
    /// block there are none.
    #[must_use]
    pub fn guest_bits(&self, offset: usize) -> u8 {
        let bits = |masks: &[u8; N]| masks.get(offset).copied().unwrap_or(0);
        bits(&self.writable) | bits(&self.clear)
    }

    /// The bytes, for saving.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; N] {
        &self.value
    }

    /// The bytes, for loading.
    pub const fn bytes_mut(&mut self) -> &mut [u8; N] {
        &mut self.value
    }
}

fn store<const N: usize>(bytes: &mut [u8; N], offset: usize, size: usize, value: u64) {
    for (index, byte) in (offset..N).zip(value.to_le_bytes().into_iter().take(size)) {
        bytes[index] = byte;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_changes_writable_bits_and_clears_the_clearable() {
        let mut registers = Registers::<4>::new();
        registers.set(0, 4, 0x00ff_1234);
        registers.make_writable(0, 2, 0x00f0);
        registers.make_clearable(2, 1, 0x0f);
        registers.write(0, 4, 0xffff_ffff);
        assert_eq!(registers.get(0, 4), 0x00f0_12f4);
    }

    #[test]
    fn an_access_beyond_the_end_is_cut() {
        let mut registers = Registers::<2>::new();
        registers.make_writable(0, 2, 0xffff);
        registers.write(1, 4, 0x1122_3344);
        assert_eq!(registers.get(0, 2), 0x4400);
        assert_eq!(registers.get(1, 2), 0xff44);
    }

    #[test]
    fn clearing_guest_bits_keeps_what_is_read_only() {
        let mut registers = Registers::<2>::new();
        registers.set(0, 2, 0xffff);
        registers.make_writable(0, 1, 0x0f);
        registers.make_clearable(1, 1, 0x80);
        registers.clear_guest_bits(0, 2);
        assert_eq!(registers.get(0, 2), 0x7ff0);
        assert_eq!(registers.guest_bits(1), 0x80);
    }

    #[test]
    fn what_lies_beyond_the_block_is_ones_and_read_only() {
        let mut registers = Registers::<2>::new();
        registers.make_writable(1, 8, u64::MAX);
        registers.set(1, 4, 0xaabb_ccdd);
        registers.write(2, 4, 0);
        registers.clear_guest_bits(5, 8);
        assert_eq!(registers.bytes(), &[0, 0xdd]);
        assert_eq!(registers.get(2, 8), u64::MAX);
        assert_eq!(registers.guest_bits(2), 0);
        assert_eq!(registers.get(0, 0), 0);
    }

    #[test]
    fn a_write_reaches_only_its_bytes() {
        let mut registers = Registers::<8>::new();
        registers.make_writable(0, 8, u64::MAX);
        registers.write(0, 8, u64::MAX);
        registers.write(2, 1, 0xffff_ff00);
        registers.write(4, 2, 0);
        assert_eq!(registers.get(0, 8), 0xffff_0000_ff00_ffff);
    }

    #[test]
    fn a_bit_that_is_both_writable_and_clearable_is_cleared() {
        let mut registers = Registers::<1>::new();
        registers.make_writable(0, 1, 0x01);
        registers.make_clearable(0, 1, 0x01);
        registers.write(0, 1, 0x01);
        assert_eq!(registers.get(0, 1), 0);
    }
}
