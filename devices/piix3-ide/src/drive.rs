//! The registers of one of a channel's two drives (ATA-4, clause 7). QEMU keeps
//! a set for each whether or not a drive is attached.

/// Status: a command is going on.
pub(crate) const BUSY: u8 = 0x80;
/// Status: data is to be moved.
pub(crate) const DATA_REQUEST: u8 = 0x08;
/// Status: the drive takes commands.
pub(crate) const READY: u8 = 0x40;
/// Status: the heads have settled (DSC).
pub(crate) const SEEK_COMPLETE: u8 = 0x10;
/// Status: the command ended with an error.
pub(crate) const ERROR: u8 = 0x01;

/// Error: the command was aborted.
pub(crate) const ABORTED: u8 = 0x04;
/// Error register after diagnostics: no error.
pub(crate) const DIAGNOSTICS_PASSED: u8 = 0x01;

/// Bits of the device/head register that are always set.
pub(crate) const ALWAYS_ON: u8 = 0xa0;

/// Cylinder registers after a reset, where no drive is attached.
const NO_SIGNATURE: u8 = 0xff;

/// The most sectors of a READ MULTIPLE, as after a reset.
pub(crate) const MOST_MULTIPLE: u8 = 16;

/// A register that is 16 bits wide, written in two bytes: the one written last,
/// and the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wide {
    pub(crate) current: u8,
    pub(crate) previous: u8,
}

impl Wide {
    pub(crate) const fn write(&mut self, byte: u8) {
        *self = Self { current: byte, previous: self.current };
    }
}

/// A drive's registers.
#[derive(Clone, Debug)]
pub(crate) struct Drive {
    /// Sectors for each interrupt of READ MULTIPLE.
    pub(crate) multiple: i32,
    pub(crate) feature: Wide,
    pub(crate) error: u8,
    /// The sector count with what a command has made of it: up to 65536.
    pub(crate) sectors: u32,
    /// The byte of the sector count written before.
    pub(crate) previous_sectors: u8,
    pub(crate) sector: Wide,
    pub(crate) cylinder_low: Wide,
    pub(crate) cylinder_high: Wide,
    /// Device/head.
    pub(crate) select: u8,
    pub(crate) status: u8,
    /// The last command used 48-bit addresses.
    pub(crate) lba48: bool,
    /// What a drive elsewhere left in the saved state.
    pub(crate) left: Left,
}

/// What only a drive sets: the state of a machine that has one is loaded and
/// saved again without loss.
#[derive(Clone, Debug)]
pub(crate) struct Left {
    /// The drive's answer to IDENTIFY DEVICE, if this is not 0.
    pub(crate) identify_set: i32,
    pub(crate) identify: [u8; 512],
    /// A CD-ROM's last error, sense key and additional code, and whether the
    /// disc was changed.
    pub(crate) sense: [u8; 3],
    /// The tray is open, the tray is locked.
    pub(crate) tray: [bool; 2],
    /// Events: a new disc, a request to eject.
    pub(crate) events: [bool; 2],
}

impl Default for Left {
    fn default() -> Self {
        let (sense, tray, events) = Default::default();
        Self { identify_set: 0, identify: [0; 512], sense, tray, events }
    }
}

impl Default for Drive {
    fn default() -> Self {
        let mut drive = Self {
            multiple: MOST_MULTIPLE.into(),
            feature: Wide::default(),
            error: 0,
            sectors: 0,
            previous_sectors: 0,
            sector: Wide::default(),
            cylinder_low: Wide::default(),
            cylinder_high: Wide::default(),
            select: ALWAYS_ON,
            status: READY | SEEK_COMPLETE,
            lba48: false,
            left: Left::default(),
        };
        drive.sign();
        drive
    }
}

impl Drive {
    /// A reset of any kind. The sense of a CD-ROM goes with it; the rest of what
    /// was left stays.
    pub(crate) fn reset(&mut self) {
        let left = Left { sense: [0; 3], ..self.left.clone() };
        *self = Self { left, ..Self::default() };
    }

    /// Sets the registers by which software tells what is attached: nothing.
    pub(crate) const fn sign(&mut self) {
        self.select = ALWAYS_ON;
        self.sectors = 1;
        self.sector.current = 1;
        self.cylinder_low.current = NO_SIGNATURE;
        self.cylinder_high.current = NO_SIGNATURE;
    }

    /// Writes the sector count register.
    pub(crate) const fn write_sectors(&mut self, byte: u8) {
        self.previous_sectors = self.sectors as u8;
        self.sectors = byte as u32;
    }
}
