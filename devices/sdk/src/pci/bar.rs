//! Base address registers, and that of the expansion ROM.

/// What a base address register decodes (PCI 3.0, 6.2.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// The region of the device that the register places.
    pub region: u32,
    /// Bytes decoded: a power of two, at least 4 for ports and 16 for memory.
    pub size: u32,
    /// I/O ports rather than memory.
    pub ports: bool,
    /// Reads of the memory have no side effects.
    pub prefetchable: bool,
}

impl Bar {
    /// `size` I/O ports.
    #[must_use]
    pub const fn ports(region: u32, size: u32) -> Self {
        Self { region, size, ports: true, prefetchable: false }
    }

    /// `size` bytes of memory below 4 GiB.
    #[must_use]
    pub const fn memory(region: u32, size: u32, prefetchable: bool) -> Self {
        Self { region, size, ports: false, prefetchable }
    }

    /// The read-only low bits: the register's value after a reset.
    pub(super) const fn type_bits(self) -> u64 {
        match (self.ports, self.prefetchable) {
            (true, _) => 1,
            (false, true) => 8,
            (false, false) => 0,
        }
    }

    /// The bits a guest can write.
    pub(super) const fn writable(self) -> u64 {
        !(self.size as u64 - 1) & 0xffff_ffff
    }

    /// Where a register value and a command register place the region; none if
    /// it is switched off or makes no sense. As in QEMU, address 0 counts as
    /// not assigned, and so does a region that reaches the last byte below
    /// 4 GiB or wraps.
    pub(super) fn address(self, value: u64, command: u64) -> Option<u64> {
        let enable = if self.ports { super::command::IO } else { super::command::MEMORY };
        let base = value & self.writable();
        let last = base + u64::from(self.size) - 1;
        (command & enable != 0 && base != 0 && last < u64::from(u32::MAX)).then_some(base)
    }
}

/// What the expansion ROM base address register decodes (PCI 3.0, 6.2.5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rom(Bar);

impl Rom {
    /// The ROM is enabled.
    const ENABLE: u64 = 1;

    pub(super) const fn new(region: u32, size: u32) -> Self {
        Self(Bar::memory(region, size, false))
    }

    pub(super) const fn region(self) -> u32 {
        self.0.region
    }

    /// The bits a guest can write.
    pub(super) const fn writable(self) -> u64 {
        self.0.writable() | Self::ENABLE
    }

    /// Where the registers place the ROM, under the rules of other regions.
    pub(super) fn address(self, value: u64, command: u64) -> Option<u64> {
        if value & Self::ENABLE == 0 { None } else { self.0.address(value, command) }
    }
}
