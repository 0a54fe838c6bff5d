//! A command that is to be carried out again: what QEMU saves of one that waits for
//! its bus master, or that the operator has held back after an error.

use southbridge_sdk::Context;

use crate::channel::{Channel, Control};
use crate::dma::Dma;
use crate::drive::Shown;
use crate::request::{After, Purpose};
use crate::transfer::Then;

/// The drive in `Retry` if there is none.
const NO_UNIT: u8 = 0xff;

/// Where the last command that moved data began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Retry {
    pub(crate) unit: u8,
    pub(crate) sector: i64,
    pub(crate) sectors: u32,
}

/// QEMU's words for what is to be done again.
mod again {
    pub(super) const DMA: i32 = 0x08;
    pub(super) const PIO: i32 = 0x10;
    pub(super) const READ: i32 = 0x20;
    pub(super) const PACKET: i32 = 0x20;
    pub(super) const FLUSH: i32 = 0x40;
    pub(super) const TRIM: i32 = 0x80;

    pub(super) const DMA_READ: i32 = DMA | READ;
    pub(super) const DMA_TRIM: i32 = DMA | TRIM;
    pub(super) const PIO_READ: i32 = PIO | READ;
}

impl Channel {
    pub(crate) fn set_retry(&mut self) {
        let unit = self.unit.into();
        let drive = self.selected();
        self.retry = Retry { unit, sector: drive.address(), sectors: drive.sectors };
    }

    pub(crate) const fn clear_retry(&mut self) {
        self.retry = Retry { unit: NO_UNIT, sector: 0, sectors: 0 };
    }

    /// What is to be done again where this state is loaded; 0 if nothing is.
    pub(crate) fn again(&self) -> i32 {
        if self.after != After::Nothing {
            return 0;
        }
        let waiting = self.dma.filter(|_| !self.bus_master.status.active());
        match (self.request, waiting, self.dma) {
            (Some(request), _, dma) => match (request.purpose, dma) {
                (Purpose::ReadBlock, _) => again::PIO_READ,
                (Purpose::WriteBlock | Purpose::FlushBlock, _) => again::PIO,
                (Purpose::Data | Purpose::FlushData, Some(Dma::Write)) => again::DMA,
                (Purpose::Data | Purpose::FlushData, _) => again::DMA_READ,
                (Purpose::Flush, _) => again::FLUSH,
                (Purpose::CdBlock | Purpose::CdData | Purpose::CdRaw, _) => again::PACKET,
            },
            (None, Some(Dma::Read), _) => again::DMA_READ,
            (None, Some(Dma::Write), _) => again::DMA,
            (None, Some(Dma::Trim), _) => again::DMA_TRIM,
            (None, Some(Dma::Packet), _) => again::PACKET,
            (None, None, _) => 0,
        }
    }

    /// The retry fields as they are saved.
    pub(crate) fn saved_retry(&self) -> Retry {
        match self.request.map(|request| request.purpose) {
            Some(Purpose::ReadBlock | Purpose::WriteBlock | Purpose::FlushBlock) => {
                let drive = self.selected();
                Retry { unit: self.unit.into(), sector: drive.address(), sectors: drive.sectors }
            }
            _ => self.retry,
        }
    }

    /// The device control register as it is saved: a reset that waits for a request
    /// is performed where the state is loaded.
    pub(crate) fn saved_control(&self) -> Control {
        self.control.with_reset(self.control.reset() || self.after == After::SoftwareReset)
    }

    /// Notes in the drives how they are saved.
    pub(crate) fn show(&mut self) {
        let again = self.again();
        for drive in &mut self.drives {
            let status = drive.status;
            drive.shown = Shown { status, pio_state: again & again::PIO != 0, packet: None };
        }
        let packet = (again == again::PACKET).then(|| self.saved_packet());
        let purpose = self.request.map(|request| request.purpose);
        let idle = self.after == After::Nothing;
        let shown = &mut self.drive().shown;
        shown.packet = packet;
        match purpose.filter(|_| idle) {
            Some(Purpose::ReadBlock | Purpose::WriteBlock | Purpose::FlushBlock) => {
                shown.status.set_busy(false);
            }
            Some(Purpose::CdBlock) => shown.status.set_data_request(true),
            _ => {}
        }
        for drive in &mut self.drives {
            drive.shown.pio_state |= drive.shown.status.data_request();
        }
    }

    /// Does again what a state of QEMU's says. One that was carried out by another
    /// version of the device in this slot goes on instead: `dma` waits or moves data,
    /// `purpose` is its request's.
    pub(crate) fn resume(&mut self, cx: &mut Context<'_>, resumed: Resumed) -> Result<(), String> {
        let Resumed { again, whole, dma, purpose } = resumed;
        if self.control.reset() {
            self.software_reset(cx);
            return Ok(());
        }
        if again == 0 && !whole {
            return Ok(());
        }
        let drive = self.selected();
        let (cd, disk) = (drive.is_cd(), drive.is_present() && !drive.is_cd());
        if whole {
            self.dma = dma;
            let fits = match purpose {
                None => dma.is_none_or(|dma| if dma == Dma::Packet { cd } else { disk }),
                Some(Purpose::CdBlock) => cd,
                Some(Purpose::CdData | Purpose::CdRaw) => cd && dma == Some(Dma::Packet),
                Some(Purpose::Data | Purpose::FlushData) => {
                    disk && matches!(dma, Some(Dma::Read | Dma::Write))
                }
                Some(Purpose::Flush) => cd || disk,
                Some(_) => disk,
            };
            if !fits {
                return Err(format!("{dma:?} and {purpose:?}: no such drive is selected"));
            }
            match purpose {
                None => {}
                Some(Purpose::ReadBlock) => self.read_block(cx),
                Some(Purpose::WriteBlock | Purpose::FlushBlock) => self.write_block(cx),
                Some(Purpose::Flush) => self.submit_flush(cx, Purpose::Flush),
                Some(Purpose::CdBlock) => self.read_cd_block(cx),
                // It has used the table only as far as it has come.
                Some(Purpose::CdRaw) => self.run_dma(cx),
                Some(_) => {
                    self.bus_master.rewind();
                    self.run_dma(cx);
                }
            }
            return Ok(());
        }
        match again {
            again::DMA_READ | again::DMA | again::DMA_TRIM if disk => {
                self.bus_master.rewind();
                self.start_data_dma(
                    cx,
                    match again {
                        again::DMA_READ => Dma::Read,
                        again::DMA => Dma::Write,
                        _ => Dma::Trim,
                    },
                );
            }
            again::PIO_READ if disk => self.read_block(cx),
            again::PIO if disk => self.write_block(cx),
            again::FLUSH if disk || cd => self.flush(cx),
            again::PACKET if cd && drive.transfer.then == Then::Packet => {
                self.bus_master.rewind();
                self.packet(cx);
            }
            _ => return Err(format!("error_status {again:#x}: the drive cannot do that again")),
        }
        Ok(())
    }
}

/// What a loaded state says of a command that goes on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Resumed {
    pub(crate) again: i32,
    /// The state is another version's of this device.
    pub(crate) whole: bool,
    pub(crate) dma: Option<Dma>,
    pub(crate) purpose: Option<Purpose>,
}
