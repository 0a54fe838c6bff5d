//! Registers, with the names of the data sheet.

use bitfield_struct::bitfield;

/// Offsets in the block of memory, which repeats every 256 bytes.
pub(crate) const IOREGSEL: u64 = 0x00;
pub(crate) const IOWIN: u64 = 0x10;
/// The EOI register, which version 0x20 has.
pub(crate) const EOIR: u64 = 0x40;

/// Numbers of registers behind IOWIN.
pub(crate) const IOAPICID: u8 = 0x00;
pub(crate) const IOAPICVER: u8 = 0x01;
pub(crate) const IOAPICARB: u8 = 0x02;
/// The first half of the first entry of the redirection table.
pub(crate) const IOREDTBL: u8 = 0x10;

/// The bits of the identification register that exist.
pub(crate) const ID_BITS: u8 = 0x0f;

/// An entry of the redirection table. QEMU keeps what is written to reserved bits.
#[bitfield(u64, default = false)]
pub(crate) struct Entry {
    pub(crate) vector: u8,
    /// DELMOD.
    #[bits(3)]
    pub(crate) delivery: u8,
    /// DESTMOD.
    pub(crate) logical: bool,
    /// DELIVS, which is read-only and 0: a message is delivered at once.
    pub(crate) pending: bool,
    /// INTPOL. Inputs are high when active, whatever it says.
    pub(crate) low_active: bool,
    /// Remote IRR, which is read-only: a processor serves the interrupt.
    pub(crate) remote_irr: bool,
    /// Trigger mode.
    pub(crate) level: bool,
    pub(crate) masked: bool,
    #[bits(31)]
    pub(crate) reserved: u32,
    /// The destination, in its upper half. The lower half is reserved, and QEMU
    /// lets it into the message, too.
    pub(crate) destination: u16,
}

impl Default for Entry {
    fn default() -> Self {
        Self::new().with_masked(true)
    }
}

impl Entry {
    /// What a guest writes to half of the entry makes of it. An edge-triggered
    /// interrupt is never served remotely.
    pub(crate) fn written(self, upper: bool, value: u32) -> Self {
        let shift = if upper { 32 } else { 0 };
        let kept = self.into_bits() & !(u64::from(u32::MAX) << shift);
        let written = Self::from_bits(kept | u64::from(value) << shift);
        written.with_pending(self.pending()).with_remote_irr(self.remote_irr() && written.level())
    }

    /// The message to the local APICs: address and data.
    pub(crate) fn message(self) -> (u64, u32) {
        let address =
            0xfee0_0000 | u64::from(self.destination()) << 4 | u64::from(self.logical()) << 2;
        let data = u32::from(self.vector())
            | u32::from(self.delivery()) << 8
            | u32::from(self.level()) << 15;
        (address, data)
    }
}
