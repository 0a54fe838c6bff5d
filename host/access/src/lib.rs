//! How an access of any width and alignment meets the registers behind it.
//!
//! A processor may read four bytes where a device has a two-byte register and
//! nothing else. QEMU answers such accesses by rules of its own, guests can see
//! the result, and so the same rules hold here. They have two steps:
//!
//! 1. [`chunk`]: an access is cut to widths the `valid` sizes of the region at
//!    its address allow. The piece goes to that region, or to nothing; the rest
//!    is looked up anew at the next address. Neither the region's end nor one
//!    that lies above the rest cuts a piece: QEMU counts on a 32-bit write to
//!    port 0xcf8 being one write, though port 0xcf9 is another device's.
//! 2. [`read()`] and [`write()`]: a piece is refused if `valid` does not allow it,
//!    and otherwise turned into calls of a width in `implemented`.
//!
//! The host's buses and the SDK's fake machine both go through this crate, so
//! a device meets the same accesses in its unit tests as in a guest.

#![no_std]

/// The widths in which registers can be accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Smallest width in bytes: 1, 2, 4 or 8.
    pub min: u8,
    /// Largest width in bytes: 1, 2, 4 or 8, not below `min`.
    pub max: u8,
    /// Whether an address need not be a multiple of the width.
    pub unaligned: bool,
}

impl Sizes {
    /// Aligned accesses from `min` to `max` bytes.
    #[must_use]
    pub const fn aligned(min: u8, max: u8) -> Self {
        Self { min, max, unaligned: false }
    }

    /// Whether the sizes are powers of two up to 8 and in order.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.min.is_power_of_two()
            && self.max.is_power_of_two()
            && self.min <= self.max
            && self.max <= 8
    }

    const fn allows(&self, offset: u64, size: u8) -> bool {
        let aligned = self.unaligned || offset & (size as u64 - 1) == 0;
        aligned && size >= self.min && size <= self.max
    }
}

/// The access rules of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What a processor may do.
    pub valid: Sizes,
    /// What the device wants to see.
    pub implemented: Sizes,
}

/// What answers where no region is mapped: nothing, in any width up to four
/// bytes.
pub const UNASSIGNED: Rules =
    Rules { valid: Sizes { min: 1, max: 4, unaligned: true }, implemented: Sizes::aligned(1, 4) };

/// How many bytes of an access reach the region at once.
///
/// `offset` is the access's first byte in the region (where there is none, the
/// address), `left` what remains of the access, at least 1. The result is a
/// power of two and at most `left`; it may reach beyond the region's end.
///
/// As in QEMU, an address that is not aligned limits the width unless the
/// device implements unaligned accesses.
#[must_use]
pub const fn chunk(rules: &Rules, offset: u64, left: u64) -> u8 {
    let mut most = rules.valid.max as u64;
    if !rules.implemented.unaligned && offset != 0 {
        let alignment = offset & offset.wrapping_neg();
        if alignment < most {
            most = alignment;
        }
    }
    if left < most {
        most = left;
    }
    // The largest power of two that fits.
    1 << (u64::BITS - 1 - most.leading_zeros())
}

/// A mask of `size` bytes.
#[must_use]
pub const fn mask(size: u8) -> u64 {
    if size >= 8 { u64::MAX } else { (1 << (size * 8)) - 1 }
}

/// Reads `size` bytes at `offset` through `register`, which is asked for
/// widths in `rules.implemented`.
///
/// An access that `rules.valid` does not allow reads as zero: QEMU's answer to
/// a decode error inside a region.
pub fn read(rules: &Rules, offset: u64, size: u8, mut register: impl FnMut(u64, u8) -> u64) -> u64 {
    if !rules.valid.allows(offset, size) {
        return 0;
    }
    let width = size.clamp(rules.implemented.min, rules.implemented.max);
    if width >= size {
        return register(offset, width) & mask(size);
    }
    let mut value = 0;
    let mut done = 0;
    while done < size {
        let part = register(offset + u64::from(done), width) & mask(width);
        value |= part << (done * 8);
        done += width;
    }
    value
}

/// Writes the low `size` bytes of `value` at `offset` through `register`,
/// which is given widths in `rules.implemented`.
///
/// A narrower access than the device implements reaches it widened, at its own
/// address and with zeros above: again what QEMU does. One that `rules.valid`
/// does not allow is dropped.
pub fn write(
    rules: &Rules,
    offset: u64,
    size: u8,
    value: u64,
    mut register: impl FnMut(u64, u8, u64),
) {
    if !rules.valid.allows(offset, size) {
        return;
    }
    let width = size.clamp(rules.implemented.min, rules.implemented.max);
    if width >= size {
        return register(offset, width, value & mask(size));
    }
    let mut done = 0;
    while done < size {
        register(offset + u64::from(done), width, value >> (done * 8) & mask(width));
        done += width;
    }
}

#[cfg(test)]
mod tests;
