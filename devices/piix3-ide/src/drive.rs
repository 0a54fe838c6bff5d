//! One of a channel's two drives: its registers (ATA-4, clause 7) and what is
//! behind them. QEMU keeps a set of registers whether or not a drive is attached.

use bitfield_struct::bitfield;

use crate::address::Geometry;
use crate::ahead::Ahead;
use crate::setup::{Kind, Setup};
use crate::smart::Smart;
use crate::transfer::Transfer;

/// The status register (ATA-4, 7.15).
#[bitfield(u8)]
#[derive(PartialEq, Eq)]
pub(crate) struct Status {
    /// ERR: the command ended with an error.
    pub(crate) error: bool,
    #[bits(2)]
    __: u8,
    /// DRQ: data is to be moved.
    pub(crate) data_request: bool,
    /// DSC: the heads have settled.
    pub(crate) seek_complete: bool,
    __: bool,
    /// DRDY: the drive takes commands.
    pub(crate) ready: bool,
    /// BSY: a command is going on.
    pub(crate) busy: bool,
}

impl Status {
    /// The drive takes commands, and the heads have settled.
    pub(crate) const DONE: Self = Self::new().with_ready(true).with_seek_complete(true);
    /// A command has failed.
    pub(crate) const FAILED: Self = Self::new().with_ready(true).with_error(true);

    /// Whether a command is not at its end.
    pub(crate) const fn working(self) -> bool {
        self.busy() || self.data_request()
    }
}

/// Error: the command was aborted.
pub(crate) const ABORTED: u8 = 0x04;
/// Error register after diagnostics: no error.
pub(crate) const DIAGNOSTICS_PASSED: u8 = 0x01;

/// Bits of the device/head register that are always set.
pub(crate) const ALWAYS_ON: u8 = 0xa0;

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

    pub(crate) const fn get(self, previous: bool) -> u8 {
        if previous { self.previous } else { self.current }
    }
}

/// A drive.
#[derive(Clone, Debug)]
pub(crate) struct Drive {
    pub(crate) setup: Setup,
    /// 512-byte sectors of the medium; none without one.
    pub(crate) medium: Option<u64>,
    pub(crate) geometry: Geometry,
    /// Heads and sectors per track as INITIALIZE DEVICE PARAMETERS sets them.
    pub(crate) current: Geometry,
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
    pub(crate) status: Status,
    /// The last command used 48-bit addresses.
    pub(crate) lba48: bool,
    /// The answer to IDENTIFY DEVICE, if it has been made.
    pub(crate) identify_set: i32,
    pub(crate) identify: [u8; 512],
    pub(crate) smart: Smart,
    pub(crate) write_cache: bool,
    pub(crate) transfer: Transfer,
    pub(crate) ahead: Ahead,
    /// Sectors for each block of the command in progress.
    pub(crate) block: i32,
    pub(crate) packet: Packet,
    /// What is saved of it that is not as it stands.
    pub(crate) shown: Shown,
    /// The state that is being loaded is another version's of this device, and the
    /// buffer's first bytes in it.
    pub(crate) whole: bool,
    pub(crate) head: [u8; 12],
}

/// How a drive is saved whose command waits for a request or for its bus master.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) status: Status,
    /// The buffer is saved.
    pub(crate) pio_state: bool,
    /// The packet that is to be carried out again.
    pub(crate) packet: Option<[u8; 12]>,
}

/// What only a CD-ROM drive has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Packet {
    /// The last error: sense key and additional code.
    pub(crate) key: u8,
    pub(crate) code: u8,
    /// The disc was changed: 1 before the guest has been told that it is gone, 2
    /// before it has been told that there is a new one.
    pub(crate) changed: u8,
    pub(crate) tray_open: bool,
    pub(crate) tray_locked: bool,
    /// Events for the guest: a new disc, a request to eject.
    pub(crate) new_media: bool,
    pub(crate) eject_request: bool,
    /// The command in progress, and whether it moves its data by DMA.
    pub(crate) command: [u8; 12],
    pub(crate) dma: bool,
    /// The block to read next, or -1 if what is moved is no medium's data.
    pub(crate) block: i32,
    /// Bytes of a block as the guest gets it.
    pub(crate) block_size: i32,
    /// Bytes left of the command, and of what the guest was told is there.
    pub(crate) left: i32,
    pub(crate) announced: i32,
    /// Bytes of the buffer that have been handed out.
    pub(crate) index: i32,
    /// Bytes of a reply that goes by DMA, or of the medium that are on their way.
    pub(crate) reply: i32,
}

impl Default for Drive {
    fn default() -> Self {
        Self::new(Setup::default())
    }
}

impl Drive {
    /// A drive after a reset.
    pub(crate) fn new(setup: Setup) -> Self {
        let mut drive = Self {
            medium: None,
            geometry: Geometry::default(),
            current: Geometry::default(),
            multiple: 0,
            feature: Wide::default(),
            error: 0,
            sectors: 0,
            previous_sectors: 0,
            sector: Wide::default(),
            cylinder_low: Wide::default(),
            cylinder_high: Wide::default(),
            select: ALWAYS_ON,
            status: Status::DONE,
            lba48: false,
            identify_set: 0,
            identify: [0; 512],
            smart: Smart::default(),
            write_cache: setup.write_cache,
            transfer: Transfer::default(),
            ahead: Ahead::default(),
            block: 0,
            packet: Packet::default(),
            whole: false,
            head: [0; 12],
            shown: Shown::default(),
            setup,
        };
        drive.reset();
        drive
    }

    pub(crate) fn is_present(&self) -> bool {
        self.setup.kind != Kind::None
    }

    pub(crate) fn is_cd(&self) -> bool {
        self.setup.kind == Kind::CdRom
    }

    /// 512-byte sectors of the medium.
    pub(crate) fn total(&self) -> u64 {
        self.medium.unwrap_or(0)
    }

    /// A reset of any kind.
    pub(crate) fn reset(&mut self) {
        self.multiple = MOST_MULTIPLE.into();
        (self.feature, self.error) = (Wide::default(), 0);
        (self.previous_sectors, self.sector) = (0, Wide::default());
        (self.cylinder_low, self.cylinder_high) = Default::default();
        (self.status, self.lba48) = (Status::DONE, false);
        let Packet { new_media, eject_request, reply, command, .. } = self.packet;
        self.packet = Packet { new_media, eject_request, reply, command, ..Packet::default() };
        self.block = 0;
        self.current = self.geometry;
        self.ahead.forget();
        self.sign();
        self.transfer.float();
    }

    /// Sets the registers by which software tells what is attached (ATA-4, 9.1).
    pub(crate) const fn sign(&mut self) {
        self.select = ALWAYS_ON;
        self.sectors = 1;
        self.sector.current = 1;
        let (low, high) = match self.setup.kind {
            Kind::CdRom => (0x14, 0xeb),
            Kind::Disk => (0, 0),
            Kind::None => (0xff, 0xff),
        };
        self.cylinder_low.current = low;
        self.cylinder_high.current = high;
    }

    /// Writes the sector count register.
    pub(crate) const fn write_sectors(&mut self, byte: u8) {
        self.previous_sectors = self.sectors as u8;
        self.sectors = byte as u32;
    }

    /// The command ends with an error.
    pub(crate) fn abort(&mut self) {
        self.stop_transfer();
        self.status = Status::FAILED;
        self.error = ABORTED;
    }

    /// No data is to be moved any more.
    pub(crate) fn stop_transfer(&mut self) {
        self.transfer.stop();
        self.status.set_data_request(false);
    }
}
