//! The control word and the other bytes of the data sheet.

use bitfield_struct::bitfield;

/// The control word. With SC 3 it is the read-back command, [`ReadBack`].
#[bitfield(u8)]
pub(crate) struct Control {
    pub(crate) bcd: bool,
    /// M2 to M0.
    #[bits(3)]
    pub(crate) mode: u8,
    /// RW1 and RW0; 0 latches the count.
    #[bits(2)]
    pub(crate) access: u8,
    /// SC1 and SC0.
    #[bits(2)]
    pub(crate) channel: u8,
}

/// SC of the read-back command.
pub(crate) const READ_BACK: u8 = 3;

/// The read-back command.
#[bitfield(u8)]
pub(crate) struct ReadBack {
    __: bool,
    /// CNT 0 to CNT 2, a bit for each channel.
    #[bits(3)]
    pub(crate) channels: u8,
    /// STATUS#.
    pub(crate) no_status: bool,
    /// COUNT#.
    pub(crate) no_count: bool,
    #[bits(2)]
    __: u8,
}

/// The status byte. NULL COUNT is never set: a count is loaded at once.
#[bitfield(u8)]
pub(crate) struct Status {
    pub(crate) bcd: bool,
    #[bits(3)]
    pub(crate) mode: u8,
    #[bits(2)]
    pub(crate) access: u8,
    __: bool,
    pub(crate) output: bool,
}

/// Port 0x61: system control port B. A guest writes the two lowest bits.
#[bitfield(u8)]
pub(crate) struct PortB {
    /// The gate of channel 2.
    pub(crate) gate: bool,
    /// Whether the speaker follows the output of channel 2.
    pub(crate) speaker: bool,
    #[bits(2)]
    __: u8,
    /// Toggles when memory is refreshed; here with each read.
    pub(crate) refresh: bool,
    /// The output of channel 2.
    pub(crate) output: bool,
    #[bits(2)]
    __: u8,
}
