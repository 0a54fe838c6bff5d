//! What the controller asks the host to read and write.

use southbridge_sdk::Context;
use southbridge_sdk::wit::Failure;

use crate::Fdc;
use crate::drive::SECTOR;
use crate::regs::{Direction, Phase};
use crate::transfer::advance;

/// A sector of a drive, by its number.
pub(crate) type Place = (usize, i64);

/// A sector that has been read ahead of its use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) place: Place,
    pub(crate) data: [u8; SECTOR],
}

/// What a request is for.
#[derive(Clone, Copy, Debug)]
enum Purpose {
    /// The next sector of a transfer to the guest, or of a scan.
    Read(i64),
    /// What is around the part of a sector that is to be written.
    Fill,
    /// The last sector of VERIFY.
    Verify,
    /// Writes what came by DMA.
    WriteGiven,
    /// Writes what came through the FIFO port.
    WriteFifo,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    tag: u32,
    drive: usize,
    purpose: Purpose,
}

/// The request that has not ended, and data on the way.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    tag: u32,
    pending: Option<Pending>,
    pub(crate) held: Option<Held>,
    /// What has come by DMA of the current sector, and how much.
    pub(crate) given: [u8; SECTOR],
    pub(crate) partial: usize,
    /// The terminal count was reached while a sector was being written.
    pub(crate) counted_out: bool,
}

impl Default for Requests {
    fn default() -> Self {
        let given = [0; SECTOR];
        Self { tag: 0, pending: None, held: None, given, partial: 0, counted_out: false }
    }
}

impl Requests {
    pub(crate) fn is_waiting(&self) -> bool {
        self.pending.is_some()
    }

    /// Whether the request that has not ended is one that nothing depends on any
    /// more once the count is out.
    pub(crate) fn only_reads_ahead(&self) -> bool {
        matches!(self.pending, Some(Pending { purpose: Purpose::Read(_), .. }))
    }

    /// What is on the way is of no use any more; the end of the request is ignored.
    pub(crate) fn abandon(&mut self) {
        *self = Self { tag: self.tag, ..Self::default() };
    }

    /// Another medium is in a drive.
    pub(crate) fn forget(&mut self, drive: usize) {
        self.held = self.held.filter(|held| held.place.0 != drive);
    }

    fn begin(&mut self, drive: usize, purpose: Purpose) -> u32 {
        self.tag = self.tag.wrapping_add(1);
        self.pending = Some(Pending { tag: self.tag, drive, purpose });
        self.tag
    }
}

impl Fdc {
    /// The sector that is needed next, if it has to be read.
    fn wanted(&self) -> Option<Place> {
        let number = self.current();
        let mut drive = self.drives[number];
        if self.transfers() {
            let reads = self.direction != Direction::Write && self.data_pos < self.data_len;
            return reads.then(|| (number, drive.sector()));
        }
        let reads = self.phase == Phase::Execution && self.msr.non_dma() && self.msr.to_host();
        if !reads || self.position() != 0 {
            return None;
        }
        let goes_on = self.data_pos == 0 || advance(&mut drive, self.eot, self.multi_track).0;
        goes_on.then(|| (number, drive.sector()))
    }

    /// Asks for the sector that is needed next.
    pub(crate) fn fetch(&mut self, cx: &mut Context<'_>) {
        if self.requests.is_waiting() {
            return;
        }
        let Some(place) = self.wanted() else { return };
        if self.requests.held.is_none_or(|held| held.place != place) {
            self.read_sector(cx, place, Purpose::Read(place.1));
        }
    }

    /// The current sector, if it has been read.
    pub(crate) fn held_here(&self) -> Option<[u8; SECTOR]> {
        let number = self.current();
        let place = (number, self.drives[number].sector());
        self.requests.held.filter(|held| held.place == place).map(|held| held.data)
    }

    /// The guest reads the first byte of a sector through the FIFO port. Returns
    /// whether there is one.
    pub(crate) fn begin_sector(&mut self) -> bool {
        if self.data_pos != 0 && !self.next_sector(self.current()) {
            return false;
        }
        self.fifo = self.held_here().unwrap_or([0; SECTOR]);
        self.requests.held = None;
        true
    }

    /// Writes the FIFO that the guest has filled through its port.
    pub(crate) fn write_sector(&mut self, cx: &mut Context<'_>) {
        self.write_current(cx, Purpose::WriteFifo);
    }

    pub(crate) fn write_given(&mut self, cx: &mut Context<'_>) {
        self.write_current(cx, Purpose::WriteGiven);
    }

    pub(crate) fn read_around(&mut self, cx: &mut Context<'_>) {
        let number = self.current();
        self.read_sector(cx, (number, self.drives[number].sector()), Purpose::Fill);
    }

    pub(crate) fn read_verified(&mut self, cx: &mut Context<'_>, sector: i64) {
        self.read_sector(cx, (self.current(), sector), Purpose::Verify);
    }

    fn read_sector(&mut self, cx: &mut Context<'_>, (drive, sector): Place, purpose: Purpose) {
        match self.drives[drive].offset(sector) {
            Some(offset) => {
                let tag = self.requests.begin(drive, purpose);
                cx.drive_read(drive as u32, tag, offset, SECTOR as u32);
            }
            None => self.ended(cx, drive, purpose, Err(Failure::Io)),
        }
    }

    fn write_current(&mut self, cx: &mut Context<'_>, purpose: Purpose) {
        let drive = self.current();
        match self.drives[drive].offset(self.drives[drive].sector()) {
            Some(offset) => {
                let tag = self.requests.begin(drive, purpose);
                cx.drive_write(drive as u32, tag, offset, &self.fifo);
            }
            None => self.ended(cx, drive, purpose, Err(Failure::Io)),
        }
    }

    pub(crate) fn request_ended(
        &mut self,
        cx: &mut Context<'_>,
        tag: u32,
        outcome: Result<Vec<u8>, Failure>,
    ) {
        let Some(Pending { drive, purpose, .. }) =
            self.requests.pending.filter(|pending| pending.tag == tag)
        else {
            return;
        };
        self.requests.pending = None;
        self.ended(cx, drive, purpose, outcome);
    }

    fn ended(
        &mut self,
        cx: &mut Context<'_>,
        drive: usize,
        purpose: Purpose,
        outcome: Result<Vec<u8>, Failure>,
    ) {
        let succeeded = outcome.is_ok();
        // What cannot be read is taken for zeros: the image may be too short.
        let mut data = [0; SECTOR];
        data.iter_mut().zip(outcome.unwrap_or_default()).for_each(|(place, byte)| *place = byte);
        match purpose {
            Purpose::Read(sector) => {
                self.requests.held = Some(Held { place: (drive, sector), data });
            }
            Purpose::Fill => {
                self.fifo = data;
                self.merge(cx);
            }
            Purpose::Verify => {
                self.fifo = data;
                self.finish_transfer(cx);
            }
            Purpose::WriteGiven => self.given_written(cx, drive, succeeded),
            // As in QEMU the transfer hangs at a failure, or behind the last track.
            Purpose::WriteFifo => {
                if succeeded && self.next_sector(drive) && self.data_pos == self.data_len {
                    self.finish_transfer(cx);
                }
            }
        }
    }
}
