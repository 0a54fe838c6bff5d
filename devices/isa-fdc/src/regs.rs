//! The registers and the status bytes (data sheet, "Registers" and "Status register encoding").

use bitfield_struct::bitfield;

/// Offsets of the registers from the base address.
pub(crate) mod offset {
    pub(crate) const SRB: u64 = 1;
    pub(crate) const DOR: u64 = 2;
    pub(crate) const TDR: u64 = 3;
    /// Main status when read, data rate select when written.
    pub(crate) const MSR_DSR: u64 = 4;
    pub(crate) const FIFO: u64 = 5;
    /// Digital input when read, configuration control when written.
    pub(crate) const DIR_CCR: u64 = 7;
}

/// Status register A. Only what QEMU keeps up to date is seen in saved states; no
/// port reads it.
#[bitfield(u8)]
pub(crate) struct Sra {
    #[bits(6)]
    __: u8,
    /// There is no second drive.
    pub(crate) no_drive_2: bool,
    pub(crate) interrupt_pending: bool,
}

/// Status register B.
#[bitfield(u8)]
pub(crate) struct Srb {
    pub(crate) motor_0: bool,
    pub(crate) motor_1: bool,
    #[bits(3)]
    __: u8,
    pub(crate) drive_select_0: bool,
    #[bits(2)]
    __: u8,
}

impl Srb {
    /// After a reset: the two upper bits are always ones.
    pub(crate) const RESET: Self = Self::from_bits(0xc0);
}

/// Digital output register.
#[bitfield(u8)]
pub(crate) struct Dor {
    /// The drive, as far as there are any.
    pub(crate) drive: bool,
    __: bool,
    /// Low while the controller is held in reset.
    pub(crate) not_reset: bool,
    pub(crate) dma: bool,
    pub(crate) motor_0: bool,
    pub(crate) motor_1: bool,
    #[bits(2)]
    __: u8,
}

/// The boot drive that the tape drive register can select.
pub(crate) const BOOT_SELECT: u8 = 0x04;

/// Data rate select register.
#[bitfield(u8)]
pub(crate) struct Dsr {
    #[bits(2)]
    pub(crate) rate: u8,
    #[bits(4)]
    __: u8,
    pub(crate) power_down: bool,
    pub(crate) software_reset: bool,
}

/// Main status register.
#[bitfield(u8)]
pub(crate) struct Msr {
    #[bits(4)]
    __: u8,
    pub(crate) command_busy: bool,
    pub(crate) non_dma: bool,
    /// The host reads the FIFO.
    pub(crate) to_host: bool,
    /// The host may access the FIFO.
    pub(crate) request: bool,
}

/// Bits of digital input register.
pub(crate) const DISK_CHANGE: u8 = 0x80;

/// Status register 0.
#[bitfield(u8)]
#[derive(PartialEq, Eq)]
pub(crate) struct St0 {
    pub(crate) drive_0: bool,
    pub(crate) drive_1: bool,
    pub(crate) head: bool,
    #[bits(2)]
    __: u8,
    pub(crate) seek_end: bool,
    #[bits(2)]
    pub(crate) interrupt_code: u8,
}

impl St0 {
    pub(crate) const NORMAL: Self = Self::new();
    pub(crate) const ABNORMAL: Self = Self::new().with_interrupt_code(1);
    pub(crate) const ABNORMAL_SEEK: Self = Self::ABNORMAL.with_seek_end(true);
    pub(crate) const INVALID: Self = Self::new().with_interrupt_code(2);
    /// An abnormal end by polling: a drive's ready line has changed.
    pub(crate) const POLLED: Self = Self::new().with_interrupt_code(3);

    /// With the bits of another as well.
    pub(crate) const fn or(self, other: Self) -> Self {
        Self::from_bits(self.into_bits() | other.into_bits())
    }
}

/// Status register 1.
pub(crate) mod st1 {
    /// Missing address mark.
    pub(crate) const MISSING: u8 = 0x01;
    pub(crate) const NOT_WRITABLE: u8 = 0x02;
    pub(crate) const END_OF_CYLINDER: u8 = 0x80;
}

/// Status register 2: a scan has found what it looked for.
pub(crate) const SCAN_HIT: u8 = 0x08;

/// The second parameter of CONFIGURE.
#[bitfield(u8)]
pub(crate) struct Config {
    #[bits(5)]
    __: u8,
    pub(crate) no_fifo: bool,
    /// Transfers seek by themselves.
    pub(crate) implied_seek: bool,
    __: bool,
}

impl Config {
    /// As QEMU powers on.
    pub(crate) const POWER_ON: Self = Self::new().with_no_fifo(true).with_implied_seek(true);
}

/// Where the controller is in a command (data sheet, "Controller phases").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Command = 1,
    Execution = 2,
    Result = 3,
}

impl Phase {
    /// What the main status register tells of it; 0 in a saved state.
    pub(crate) const fn seen_in(msr: Msr) -> Self {
        // Outside of a DMA transfer the host may always access the FIFO.
        if msr.non_dma() || !msr.request() {
            Self::Execution
        } else if msr.to_host() {
            Self::Result
        } else {
            Self::Command
        }
    }
}

/// What a transfer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Write = 0,
    Read = 1,
    ScanEqual = 2,
    ScanLow = 3,
    ScanHigh = 4,
    Verify = 5,
}

impl Direction {
    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::Write,
            1 => Self::Read,
            2 => Self::ScanEqual,
            3 => Self::ScanLow,
            4 => Self::ScanHigh,
            5 => Self::Verify,
            _ => return None,
        })
    }

    pub(crate) const fn is_scan(self) -> bool {
        matches!(self, Self::ScanEqual | Self::ScanLow | Self::ScanHigh)
    }
}
