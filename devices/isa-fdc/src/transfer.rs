//! Transfers: their beginning, the way from sector to sector, and their end (data sheet, "Data transfer
//! commands").

use southbridge_sdk::Context;

use crate::Fdc;
use crate::drive::{Drive, SECTOR, Seek};
use crate::regs::{Direction, Phase, SCAN_HIT, St0, st1};

/// The size of a sector as commands code it: 128 bytes, doubled so many times. QEMU
/// knows no other, and reports it in any case.
const SIZE_512: u8 = 2;

impl Fdc {
    /// The first parameters of a transfer: drive and head, track, head, sector, size,
    /// end of track, gap, and the length of a sector of size 0.
    pub(crate) fn start_transfer(&mut self, cx: &mut Context<'_>, direction: Direction) {
        let [command, select, track, head, sect, size, eot, _, length, ..] = self.fifo;
        self.select(select);
        let address = [track, head, sect];
        match self.drive().seek(head, track, sect) {
            Seek::Nowhere => return self.fail(cx, 0, address),
            Seek::NoSector => return self.fail(cx, st1::END_OF_CYLINDER, address),
            Seek::Stepped => self.status0.set_seek_end(true),
            Seek::Stayed => {}
        }
        if self.dsr.rate() != self.drive().media_rate {
            return self.fail(cx, st1::MISSING, address);
        }
        self.direction = direction;
        self.data_pos = 0;
        self.multi_track = command & 0x80 != 0;
        if size == 0 {
            self.data_len = length.into();
        } else {
            let sides = if self.multi_track { u32::from(eot) } else { 0 };
            let Some(first) = (u32::from(eot) + 1).checked_sub(sect.into()) else {
                return self.fail(cx, st1::MISSING, address);
            };
            self.data_len = (128 << size.min(7)) * (first + sides);
        }
        self.eot = eot;
        self.requests.abandon();
        if self.dor.dma() {
            self.msr.set_request(false);
            if direction == Direction::Verify {
                self.verify(cx);
            }
        } else {
            self.msr = self.msr.with_non_dma(true).with_request(true);
            self.msr.set_to_host(direction != Direction::Write);
            self.raise_irq(cx);
        }
    }

    /// A transfer that does not begin reports where it should have.
    fn fail(&mut self, cx: &mut Context<'_>, status1: u8, address: [u8; 3]) {
        self.stop(cx, St0::ABNORMAL, status1, 0);
        self.fifo[3..6].copy_from_slice(&address);
    }

    /// Whether a transfer by DMA goes on. QEMU waits in the execution phase for other
    /// reasons, too: for READ ID, and for ever after a bad DRIVE SPECIFICATION.
    pub(crate) fn transfers(&self) -> bool {
        self.phase == Phase::Execution
            && !self.msr.request()
            && !self.msr.non_dma()
            && self.result_timer.is_none()
            && self.direction != Direction::Verify
            && (self.data_pos < self.data_len || self.data_pos == 0)
    }

    /// Goes over the sectors, of which nobody sees but the last.
    fn verify(&mut self, cx: &mut Context<'_>) {
        let mut last = None;
        while self.data_pos < self.data_len {
            last = Some(self.drive().sector());
            let length = self.chunk();
            self.data_pos += length as u32;
            if self.position() == 0 && !self.next_sector(self.current()) {
                break;
            }
        }
        match last {
            Some(sector) => self.read_verified(cx, sector),
            None => self.finish_transfer(cx),
        }
    }

    /// How many bytes of the current sector a transfer by DMA still has to do.
    pub(crate) fn chunk(&self) -> usize {
        let left = self.data_len.saturating_sub(self.data_pos) as usize;
        left.min(SECTOR - self.position())
    }

    /// Goes to the next sector of a drive. Returns whether the transfer goes on there.
    pub(crate) fn next_sector(&mut self, drive: usize) -> bool {
        let Some(drive) = self.drives.get_mut(drive) else { return false };
        let (goes_on, seeks) = advance(drive, self.eot, self.multi_track);
        if seeks {
            self.status0.set_seek_end(true);
        }
        goes_on
    }

    pub(crate) fn finish_transfer(&mut self, cx: &mut Context<'_>) {
        let scans = self.direction.is_scan() && !self.msr.non_dma();
        self.stop(cx, St0::NORMAL, 0, if scans { SCAN_HIT } else { 0 });
    }

    /// Ends a command with the seven bytes of a transfer's result, and an interrupt.
    pub(crate) fn stop(&mut self, cx: &mut Context<'_>, status0: St0, status1: u8, status2: u8) {
        let second = self.second;
        let Drive { head, track, sect, .. } = *self.drive();
        let here = self.status0.with_drive_0(second).with_drive_1(false).with_head(head != 0);
        self.status0 = here.or(status0);
        let result = [self.status0.into(), status1, status2, track, head, sect, SIZE_512];
        for (place, byte) in self.fifo.iter_mut().zip(result) {
            *place = byte;
        }
        self.msr.set_non_dma(false);
        self.requests.abandon();
        self.show_result(result.len() as u32);
        self.raise_irq(cx);
    }

    /// READ ID has found a sector: the disk turns on from one to the next.
    pub(crate) fn finish_read_id(&mut self, cx: &mut Context<'_>) {
        let rate = self.dsr.rate();
        let drive = self.drive();
        if let Some(passed) = drive.sect.checked_rem(drive.last_sect) {
            drive.sect = passed.wrapping_add(1);
        }
        let missing = if rate == drive.media_rate { 0 } else { st1::MISSING };
        let status0 = if missing == 0 { St0::NORMAL } else { St0::ABNORMAL };
        self.stop(cx, status0, missing, 0);
    }
}

/// Goes to the sector after the current one: whether the transfer goes on there, and
/// whether it takes a seek. After the last one of a track a transfer over both sides
/// goes on with the other side.
pub(crate) fn advance(drive: &mut Drive, eot: u8, multi_track: bool) -> (bool, bool) {
    let Drive { mut head, mut track, sect, last_sect, double_sided, .. } = *drive;
    if sect < last_sect && sect != eot {
        drive.seek(head, track, sect.wrapping_add(1));
        return (true, false);
    }
    let (goes_on, seeks) = match (multi_track, head) {
        (true, 0) if double_sided => {
            head = 1;
            (true, false)
        }
        (true, _) => {
            head = 0;
            (double_sided, true)
        }
        (false, _) => (false, true),
    };
    if seeks {
        track = track.wrapping_add(1);
    }
    drive.seek(head, track, 1);
    (goes_on, seeks)
}
