//! PCI configuration space of a function (PCI Local Bus Specification 3.0,
//! chapter 6), with QEMU's answers where the specification leaves room.

mod bar;
mod function;
#[cfg(test)]
mod tests;

pub use bar::Bar;
pub use function::{DEFAULT_SUBSYSTEM, Function, Identity};

/// Bytes of a function's configuration space.
pub const CONFIGURATION_SIZE: usize = 256;

/// Offsets in the configuration header (PCI 3.0, figure 6-1).
pub mod offset {
    /// Vendor ID, 16 bits.
    pub const VENDOR: usize = 0x00;
    /// Device ID, 16 bits.
    pub const DEVICE: usize = 0x02;
    /// Command, 16 bits.
    pub const COMMAND: usize = 0x04;
    /// Status, 16 bits.
    pub const STATUS: usize = 0x06;
    /// Revision ID, 8 bits.
    pub const REVISION: usize = 0x08;
    /// Class code: programming interface, subclass, base class; 24 bits.
    pub const CLASS: usize = 0x09;
    /// Cache line size, 8 bits.
    pub const CACHE_LINE_SIZE: usize = 0x0c;
    /// Header type, 8 bits; bit 7: more than one function.
    pub const HEADER_TYPE: usize = 0x0e;
    /// The first of six base address registers, 32 bits each.
    pub const BAR0: usize = 0x10;
    /// Subsystem vendor ID, 16 bits.
    pub const SUBSYSTEM_VENDOR: usize = 0x2c;
    /// Subsystem ID, 16 bits.
    pub const SUBSYSTEM: usize = 0x2e;
    /// Expansion ROM base address register, 32 bits; bit 0: the ROM is enabled.
    pub const ROM: usize = 0x30;
    /// Capabilities pointer, 8 bits.
    pub const CAPABILITIES: usize = 0x34;
    /// Interrupt line, 8 bits.
    pub const INTERRUPT_LINE: usize = 0x3c;
    /// Interrupt pin, 8 bits: 1 is INTA#.
    pub const INTERRUPT_PIN: usize = 0x3d;
    /// Where the header ends and the device's own registers begin.
    pub const DEVICE_SPECIFIC: usize = 0x40;
}

/// Bits of the command register (PCI 3.0, 6.2.2).
pub mod command {
    /// The function answers I/O accesses.
    pub const IO: u64 = 1 << 0;
    /// The function answers memory accesses.
    pub const MEMORY: u64 = 1 << 1;
    /// The function may be a bus master.
    pub const MASTER: u64 = 1 << 2;
    /// The function may drive SERR#.
    pub const SERR: u64 = 1 << 8;
    /// The function must not drive INTx#.
    pub const INTX_DISABLE: u64 = 1 << 10;
}

/// Bits of the status register (PCI 3.0, 6.2.3).
pub mod status {
    /// The function asserts INTx#, whether or not it is disabled.
    pub const INTERRUPT: u64 = 1 << 3;
    /// There is a list of capabilities.
    pub const CAPABILITIES: u64 = 1 << 4;
    /// The error bits, all cleared by writing ones.
    pub const ERRORS: u64 = 0xf900;
}
