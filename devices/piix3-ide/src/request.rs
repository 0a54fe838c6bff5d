//! Requests to the drives' media. A channel has at most one at a time: the guest
//! can give the selected drive no other command before it has ended, and can select
//! the other drive no sooner.

use southbridge_sdk::Context;
use southbridge_sdk::wit::{Failure, Piece};

use crate::channel::Channel;
use crate::drive::Status;

/// A request that has not ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) tag: u32,
    pub(crate) unit: bool,
    pub(crate) purpose: Purpose,
}

/// What a request is for, with the numbers by which it is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A block for the data register.
    ReadBlock = 1,
    /// A block from it; then, without a write cache, the flush after it.
    WriteBlock = 2,
    FlushBlock = 3,
    /// A disk's data by DMA; then, without a write cache, the flush after it.
    Data = 4,
    FlushData = 5,
    /// FLUSH CACHE.
    Flush = 6,
    /// Blocks of a CD for the data register.
    CdBlock = 7,
    /// A CD's data by DMA, whole sectors with what is around the data among them.
    CdData = 8,
    CdRaw = 9,
}

impl Purpose {
    pub(crate) const ALL: [Self; 9] = [
        Self::ReadBlock,
        Self::WriteBlock,
        Self::FlushBlock,
        Self::Data,
        Self::FlushData,
        Self::Flush,
        Self::CdBlock,
        Self::CdData,
        Self::CdRaw,
    ];
}

/// What follows a request's end in place of the command's next step: a reset that
/// the guest asked for meanwhile. No data moves any more when it is seen to be over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum After {
    #[default]
    Nothing,
    SoftwareReset,
    DeviceReset,
}

impl Channel {
    /// Notes a request of the selected drive; returns the drive's number and the
    /// request's mark.
    fn note(&mut self, purpose: Purpose) -> (u32, u32) {
        self.tag = self.tag.wrapping_add(1);
        let (tag, unit) = (self.tag, self.unit);
        self.request = Some(Request { tag, unit, purpose });
        (self.drive_number(unit), tag)
    }

    pub(crate) fn submit_read(
        &mut self,
        cx: &mut Context<'_>,
        purpose: Purpose,
        sector: u64,
        length: u32,
    ) {
        let (drive, tag) = self.note(purpose);
        cx.drive_read(drive, tag, sector.saturating_mul(512), length);
    }

    /// Writes bytes of the buffer.
    pub(crate) fn submit_write(&mut self, cx: &mut Context<'_>, sector: u64, size: usize) {
        let (drive, tag) = self.note(Purpose::WriteBlock);
        let buffer = &self.selected().transfer.buffer;
        let data = &buffer[..size.min(buffer.len())];
        cx.drive_write(drive, tag, sector.saturating_mul(512), data);
    }

    pub(crate) fn submit_to_memory(
        &mut self,
        cx: &mut Context<'_>,
        purpose: Purpose,
        sector: u64,
        pieces: &[Piece],
    ) {
        let (drive, tag) = self.note(purpose);
        cx.drive_to_memory(drive, tag, sector.saturating_mul(512), pieces);
    }

    pub(crate) fn submit_from_memory(
        &mut self,
        cx: &mut Context<'_>,
        sector: u64,
        pieces: &[Piece],
    ) {
        let (drive, tag) = self.note(Purpose::Data);
        cx.drive_from_memory(drive, tag, sector.saturating_mul(512), pieces);
    }

    pub(crate) fn submit_flush(&mut self, cx: &mut Context<'_>, purpose: Purpose) {
        let (drive, tag) = self.note(purpose);
        cx.drive_flush(drive, tag);
    }

    /// A request has ended. Those that a reset has made stale are ignored.
    pub(crate) fn completed(
        &mut self,
        cx: &mut Context<'_>,
        unit: bool,
        tag: u32,
        outcome: Result<Vec<u8>, Failure>,
    ) {
        let Some(Request { purpose, .. }) =
            self.request.take_if(|request| request.tag == tag && request.unit == unit)
        else {
            return;
        };
        match std::mem::take(&mut self.after) {
            After::Nothing => {}
            After::SoftwareReset => return self.software_reset(cx),
            After::DeviceReset => return self.device_reset(cx),
        }
        match (purpose, outcome) {
            (Purpose::ReadBlock, outcome) => self.block_read(cx, outcome.ok()),
            (Purpose::CdBlock, outcome) => self.cd_block_read(cx, outcome.ok()),
            (Purpose::WriteBlock, Ok(_)) if !self.selected().write_cache => {
                self.submit_flush(cx, Purpose::FlushBlock);
            }
            (Purpose::WriteBlock | Purpose::FlushBlock, Ok(_)) => self.block_written(cx),
            (Purpose::Flush, Ok(_)) => {
                self.drive().status = Status::DONE;
                self.request_interrupt(cx);
            }
            (Purpose::WriteBlock | Purpose::FlushBlock | Purpose::Flush, Err(_)) => self.fail(cx),
            (Purpose::Data, Ok(_)) if self.must_flush() => {
                self.submit_flush(cx, Purpose::FlushData);
            }
            (Purpose::Data | Purpose::FlushData, Ok(_)) => self.data_moved(cx),
            (Purpose::Data | Purpose::FlushData, Err(_)) => self.fail_dma(cx),
            (Purpose::CdData, Ok(_)) => self.cd_data_moved(cx),
            (Purpose::CdRaw, Ok(data)) => self.cd_raw_read(cx, &data),
            (Purpose::CdData | Purpose::CdRaw, Err(_)) => self.fail_cd_dma(cx),
        }
    }
}
