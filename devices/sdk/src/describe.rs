//! The words with which a device says what it is: short constructors for the
//! contract's records.

use crate::wit::{
    AccessSizes, Attachment, Bus, BusKind, Description, Direction, Line, MemoryBlock,
    PropertyDeclaration, PropertyValue, RamWindow, Region, Space,
};

/// A device that has nothing yet; the rest is filled in with struct update
/// syntax. `version` is the device crate's own: `env!("CARGO_PKG_VERSION")`.
#[must_use]
pub fn device(name: &str, version: &str, summary: &str, attachment: Attachment) -> Description {
    Description {
        name: name.into(),
        version: version.into(),
        build: String::new(),
        summary: summary.into(),
        attachment,
        properties: Vec::new(),
        regions: Vec::new(),
        lines: Vec::new(),
        timers: Vec::new(),
        buses: Vec::new(),
        streams: Vec::new(),
        windows: Vec::new(),
        memories: Vec::new(),
        drives: Vec::new(),
    }
}

/// A property that is true or false.
#[must_use]
pub fn flag(name: &str, default: bool, summary: &str) -> PropertyDeclaration {
    let default = PropertyValue::Flag(default);
    PropertyDeclaration { name: name.into(), summary: summary.into(), default }
}

/// A property that is a number.
#[must_use]
pub fn number(name: &str, default: u64, summary: &str) -> PropertyDeclaration {
    let default = PropertyValue::Number(default);
    PropertyDeclaration { name: name.into(), summary: summary.into(), default }
}

/// A property that is a text.
#[must_use]
pub fn text(name: &str, default: &str, summary: &str) -> PropertyDeclaration {
    let default = PropertyValue::Text(default.into());
    PropertyDeclaration { name: name.into(), summary: summary.into(), default }
}

/// Aligned widths from `min` to `max` bytes.
#[must_use]
pub const fn aligned(min: u8, max: u8) -> AccessSizes {
    AccessSizes { min, max, unaligned: false }
}

/// A range of I/O ports.
#[must_use]
pub fn ports(name: &str, size: u64, valid: AccessSizes, implemented: AccessSizes) -> Region {
    Region { name: name.into(), space: Space::Port, size, valid, implemented, backing: None }
}

/// A range of physical memory addresses.
#[must_use]
pub fn memory(name: &str, size: u64, valid: AccessSizes, implemented: AccessSizes) -> Region {
    Region { name: name.into(), space: Space::Memory, size, valid, implemented, backing: None }
}

/// A range of physical memory addresses where a block of the device's memory of
/// `size` bytes answers: the one at `position` in its list.
#[must_use]
pub fn backed(name: &str, size: u64, position: u32) -> Region {
    let sizes = AccessSizes { unaligned: true, ..aligned(1, 8) };
    Region { backing: Some(position), ..memory(name, size, sizes, sizes) }
}

/// A block of RAM that the device owns, `size` bytes, a multiple of 4096.
#[must_use]
pub fn ram(name: &str, size: u64) -> MemoryBlock {
    MemoryBlock { name: name.into(), size, read_only: false, from_file: false }
}

/// A block of ROM that the device owns, `size` bytes, a multiple of 4096; a file
/// is its contents.
#[must_use]
pub fn rom(name: &str, size: u64) -> MemoryBlock {
    MemoryBlock { name: name.into(), size, read_only: true, from_file: true }
}

/// The 256 bytes of a PCI function's configuration space.
#[must_use]
pub fn configuration() -> Region {
    let sizes = aligned(1, 4);
    Region {
        name: "configuration".into(),
        space: Space::Configuration,
        size: crate::pci::CONFIGURATION_SIZE as u64,
        valid: AccessSizes { unaligned: true, ..sizes },
        implemented: AccessSizes { unaligned: true, ..sizes },
        backing: None,
    }
}

/// A line that ends at the device.
#[must_use]
pub fn input(name: impl Into<String>) -> Line {
    Line { name: name.into(), direction: Direction::Input }
}

/// A line that begins at the device.
#[must_use]
pub fn output(name: impl Into<String>) -> Line {
    Line { name: name.into(), direction: Direction::Output }
}

/// A PCI bus whose functions' interrupts arrive at the 128 input lines from
/// `first_interrupt_line` on.
#[must_use]
pub fn pci_bus(name: &str, first_interrupt_line: u32) -> Bus {
    let first_interrupt_line = Some(first_interrupt_line);
    Bus { name: name.into(), kind: BusKind::Pci, first_interrupt_line }
}

/// An I2C bus.
#[must_use]
pub fn i2c_bus(name: &str) -> Bus {
    Bus { name: name.into(), kind: BusKind::I2c, first_interrupt_line: None }
}

/// The DMA channels of an ISA bus.
#[must_use]
pub fn isa_dma_bus(name: &str) -> Bus {
    Bus { name: name.into(), kind: BusKind::IsaDma, first_interrupt_line: None }
}

/// A window of physical addresses for which the device decides whether RAM
/// answers; both numbers are multiples of 4096.
#[must_use]
pub fn ram_window(name: &str, base: u64, size: u64) -> RamWindow {
    RamWindow { name: name.into(), base, size }
}
