//! Registers, with the names of the data sheet.

use bitfield_struct::bitfield;
use southbridge_sdk::wit::Mode;

/// CONFADD, the configuration address register at ports 0xcf8 to 0xcfb.
pub(crate) const CONFADD: u64 = 0xcf8;
/// CONFDATA, the configuration data register at ports 0xcfc to 0xcff.
pub(crate) const CONFDATA: u64 = 0xcfc;

/// Where QEMU, and only QEMU, tells old firmware (coreboot up to 4.0) how much
/// RAM there is, in units of 8 MiB. The data sheet has DRAM timing here.
pub(crate) const RAM_SIZE: usize = 0x57;
/// The first of the seven PAM registers.
pub(crate) const PAM: usize = 0x59;
/// SMRAM, the system management RAM control register.
pub(crate) const SMRAM: usize = 0x72;

/// The configuration address register.
///
/// The data sheet has the register number in bits 7 to 2 and calls bits 1 and 0
/// reserved; QEMU takes all eight bits as they are.
#[bitfield(u32)]
pub(crate) struct ConfigurationAddress {
    /// The byte in configuration space.
    pub(crate) register: u8,
    /// Device number in bits 7 to 3, function number in bits 2 to 0.
    pub(crate) devfn: u8,
    /// Bus number.
    pub(crate) bus: u8,
    #[bits(7)]
    __: u8,
    /// CFGE: an access to the data register is a configuration cycle.
    pub(crate) enable: bool,
}

/// The system management RAM control register.
///
/// QEMU follows D_OPEN alone outside of system management mode, and does not
/// implement D_LCK: the bits stay writable.
#[bitfield(u8)]
pub(crate) struct Smram {
    #[bits(6)]
    __: u8,
    /// The RAM under the video memory is visible.
    pub(crate) d_open: bool,
    __: bool,
}

impl Smram {
    /// The register after power-on: C_BASE_SEG has its only value, 2.
    pub(crate) const POWER_ON: u64 = 0x02;

    /// What answers at 0xa0000 to 0xbffff.
    pub(crate) const fn mode(self) -> Mode {
        if self.d_open() { Mode::Ram } else { Mode::Bus }
    }
}

/// The attributes of one segment in a PAM register.
#[bitfield(u8)]
pub(crate) struct Attributes {
    /// RE: reads go to RAM.
    pub(crate) read_enable: bool,
    /// WE: writes go to RAM.
    pub(crate) write_enable: bool,
    #[bits(6)]
    __: u8,
}

impl Attributes {
    /// What answers in the segment. With WE alone the data sheet lets writes
    /// reach RAM and reads the bus; QEMU lets both reach RAM.
    pub(crate) const fn mode(self) -> Mode {
        match (self.read_enable(), self.write_enable()) {
            (false, false) => Mode::Bus,
            (true, false) => Mode::RamReadOnly,
            (_, true) => Mode::Ram,
        }
    }
}
