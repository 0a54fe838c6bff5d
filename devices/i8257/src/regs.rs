//! Registers of a controller, with the data sheet's names.

use bitfield_struct::{bitenum, bitfield};

/// The kind of a channel's transfers, as seen from the memory.
#[bitenum]
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transfer {
    /// No memory is reached.
    Verify = 0,
    /// From the device to memory.
    Write = 1,
    /// From memory to the device.
    Read = 2,
    #[fallback]
    Illegal = 3,
}

/// A channel's mode register.
#[bitfield(u8)]
pub(crate) struct Mode {
    /// The channel, in a write.
    #[bits(2)]
    pub(crate) channel: u8,
    #[bits(2)]
    pub(crate) transfer: Transfer,
    /// The channel starts again at the terminal count.
    pub(crate) auto_initialize: bool,
    /// The address counts down.
    pub(crate) decrement: bool,
    /// Demand, single, block, cascade.
    #[bits(2)]
    __: u8,
}

/// The status register.
#[bitfield(u8)]
pub(crate) struct Status {
    /// The channels that have reached the terminal count.
    #[bits(4)]
    pub(crate) terminal_count: u8,
    /// The channels that are asked for a transfer.
    #[bits(4)]
    pub(crate) request: u8,
}

/// A write to the request register, or to that of a single mask bit.
#[bitfield(u8)]
pub(crate) struct Select {
    #[bits(2)]
    pub(crate) channel: u8,
    pub(crate) set: bool,
    #[bits(5)]
    __: u8,
}

/// The one bit of the command register that QEMU knows: the controller is disabled.
/// A write with any other changes nothing.
pub(crate) const DISABLE: u8 = 0x04;

/// The registers from offset 8 on, when they are written.
pub(crate) mod control {
    pub(crate) const COMMAND: u64 = 0;
    pub(crate) const REQUEST: u64 = 1;
    pub(crate) const SINGLE_MASK: u64 = 2;
    pub(crate) const MODE: u64 = 3;
    pub(crate) const CLEAR_POINTER: u64 = 4;
    pub(crate) const MASTER_CLEAR: u64 = 5;
    pub(crate) const CLEAR_MASK: u64 = 6;
    pub(crate) const ALL_MASK: u64 = 7;
    /// The two that QEMU lets be read.
    pub(crate) const STATUS: u64 = 0;
    pub(crate) const MASK: u64 = 1;
}
