//! The registers.

use bitfield_struct::bitfield;

/// The selector register, and `cur_entry` in the saved state.
#[bitfield(u16)]
#[derive(PartialEq, Eq)]
pub(crate) struct Selector {
    /// Which entry.
    #[bits(14)]
    pub number: u16,
    /// Selects for writing through the data register, which QEMU has given up.
    pub write_channel: bool,
    /// The entry is one of the architecture's.
    pub arch_local: bool,
}

impl Selector {
    /// What is selected after a selector that names no entry.
    pub(crate) const INVALID: Self = Self::from_bits(0xffff);
}

/// The control field of the structure that describes a DMA transfer.
#[bitfield(u32)]
pub(crate) struct Control {
    /// Set by the device: the transfer has failed.
    pub error: bool,
    pub read: bool,
    pub skip: bool,
    /// Select `selector` first.
    pub select: bool,
    pub write: bool,
    #[bits(11)]
    __: u16,
    pub selector: u16,
}
