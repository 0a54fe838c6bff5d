//! Ports and registers. Their description is Xen's
//! `docs/misc/hvm-emulated-unplug.pandoc`; what that leaves open is QEMU's.

use bitfield_struct::bitfield;

/// Where the fixed ports are.
pub(crate) const FIXED_PORTS: u64 = 0x10;

/// What a 16-bit read of the first fixed port shows: the interface is there.
pub(crate) const MAGIC: u64 = 0x49d2;
/// The version of the interface, read as a byte from the third fixed port.
pub(crate) const VERSION: u8 = 1;

/// Offsets among the fixed ports. What they do depends on the width, too.
pub(crate) mod fixed {
    /// 8 bits: flags. 16 bits: magic, when read, and unplug mask. 32 bits: the
    /// driver's build number.
    pub(crate) const FLAGS: u64 = 0;
    /// 8 bits: version, when read, and log. 16 bits: the driver's product.
    pub(crate) const LOG: u64 = 2;
}

/// Offsets in base address register 0, all 8 bits wide.
pub(crate) mod bar {
    /// Flags.
    pub(crate) const FLAGS: u64 = 0;
    /// 1 unplugs disks and network cards: an old protocol of SUSE's drivers.
    pub(crate) const UNPLUG_ALL: u64 = 4;
    /// 1 unplugs disks, 2 network cards, the same protocol's; other values go to
    /// the log.
    pub(crate) const LOG: u64 = 8;
}

/// The flags.
#[bitfield(u8)]
pub(crate) struct Flags {
    /// PFFLAG_ROM_LOCK: 0xc0000 to 0xfffff is read-only. On Xen QEMU asks the
    /// hypervisor for it; where KVM emulates Xen it only keeps the flag, and so
    /// does this device.
    pub(crate) rom_lock: bool,
    #[bits(7)]
    __: u8,
}

impl Flags {
    /// The flags as they are kept.
    pub(crate) const fn kept(value: u8) -> Self {
        Self::new().with_rom_lock(Self::from_bits(value).rom_lock())
    }
}

/// The unplug mask.
#[bitfield(u16)]
pub(crate) struct Unplug {
    /// All IDE and SCSI disks.
    pub(crate) disks: bool,
    /// All network cards.
    pub(crate) network_cards: bool,
    /// All IDE disks but the primary master.
    pub(crate) auxiliary_disks: bool,
    /// All NVMe disks.
    pub(crate) nvme: bool,
    #[bits(12)]
    __: u16,
}
