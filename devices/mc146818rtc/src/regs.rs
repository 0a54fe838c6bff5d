//! The registers, with the names of the data sheet.

use bitfield_struct::bitfield;

/// Positions in the memory.
pub(crate) const SECONDS: usize = 0x00;
pub(crate) const SECONDS_ALARM: usize = 0x01;
pub(crate) const MINUTES: usize = 0x02;
pub(crate) const MINUTES_ALARM: usize = 0x03;
pub(crate) const HOURS: usize = 0x04;
pub(crate) const HOURS_ALARM: usize = 0x05;
pub(crate) const DAY_OF_WEEK: usize = 0x06;
pub(crate) const DAY_OF_MONTH: usize = 0x07;
pub(crate) const MONTH: usize = 0x08;
pub(crate) const YEAR: usize = 0x09;
pub(crate) const REGISTER_A: usize = 0x0a;
pub(crate) const REGISTER_B: usize = 0x0b;
pub(crate) const REGISTER_C: usize = 0x0c;
pub(crate) const REGISTER_D: usize = 0x0d;
/// Why the machine was reset (IBM); the firmware resumes from S3 if it is
/// [`RESUME`].
pub(crate) const SHUTDOWN_STATUS: usize = 0x0f;
pub(crate) const CENTURY: usize = 0x32;
/// The same on a PS/2.
pub(crate) const PS2_CENTURY: usize = 0x37;

/// A machine that was suspended.
pub(crate) const RESUME: u8 = 0xfe;

/// Hours: after noon, in 12-hour mode.
pub(crate) const PM: u8 = 0x80;

/// Register A.
#[bitfield(u8)]
pub(crate) struct RegisterA {
    /// RS: the rate of the periodic interrupt.
    #[bits(4)]
    pub(crate) rate: u8,
    /// DV: the time base and the divider. Values above 2 stop the clock, those
    /// from 6 on hold the divider in reset.
    #[bits(3)]
    pub(crate) divider: u8,
    /// UIP: the time is about to change.
    pub(crate) update_in_progress: bool,
}

impl RegisterA {
    /// Whether the time base is one the clock runs on.
    pub(crate) const fn runs(self) -> bool {
        self.divider() <= 2
    }

    /// Whether the divider is held in reset.
    pub(crate) const fn is_reset(self) -> bool {
        self.divider() >= 6
    }
}

/// Register B.
#[bitfield(u8)]
pub(crate) struct RegisterB {
    __: bool,
    /// 24/12: hours count to 24.
    pub(crate) hours_24: bool,
    /// DM: the time is binary, not BCD.
    pub(crate) binary: bool,
    /// SQWE: square wave.
    pub(crate) square_wave: bool,
    /// UIE: interrupt when an update has ended.
    pub(crate) update_enabled: bool,
    /// AIE: interrupt at the alarm.
    pub(crate) alarm_enabled: bool,
    /// PIE: periodic interrupt.
    pub(crate) periodic_enabled: bool,
    /// SET: the time stands still to be set.
    pub(crate) set: bool,
}

/// Register C.
#[bitfield(u8)]
pub(crate) struct RegisterC {
    #[bits(4)]
    __: u8,
    /// UF: an update has ended.
    pub(crate) update: bool,
    /// AF: the alarm.
    pub(crate) alarm: bool,
    /// PF: the periodic interrupt.
    pub(crate) periodic: bool,
    /// IRQF: the interrupt is high.
    pub(crate) interrupt: bool,
}

/// The flags of register C that have an enable bit in register B at the same
/// place.
pub(crate) const FLAGS: u8 = 0x70;

/// Registers at power-on in QEMU: 32768 Hz, a periodic rate of 1024 Hz; 24
/// hours, BCD; the memory is valid.
pub(crate) const POWER_ON: [(usize, u8); 3] =
    [(REGISTER_A, 0x26), (REGISTER_B, 0x02), (REGISTER_D, 0x80)];
