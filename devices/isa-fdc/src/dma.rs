//! Transfers by DMA. The controller of the channel takes and gives while DREQ is
//! high; it is low while the host reads or writes a sector.

use std::cmp::Ordering;

use southbridge_sdk::Context;

use crate::Fdc;
use crate::drive::SECTOR;
use crate::regs::{Direction, St0, st1};

impl Fdc {
    pub(crate) fn asks_for_dma(&self) -> bool {
        self.transfers() && !self.requests.is_waiting()
    }

    pub(crate) fn take_bytes(&mut self, cx: &mut Context<'_>, length: u32) -> Vec<u8> {
        let length = length as usize;
        let mut taken = Vec::new();
        while taken.len() < length && self.transfers() && self.direction == Direction::Read {
            if self.data_pos >= self.data_len {
                self.finish_transfer(cx);
                break;
            }
            self.fetch(cx);
            let Some(sector) = self.held_here() else { break };
            self.fifo = sector;
            let start = self.position();
            let part = self.chunk().min(length - taken.len());
            taken.extend(self.fifo.iter().skip(start).take(part));
            self.advance_by(cx, self.current(), part);
        }
        taken
    }

    pub(crate) fn give_bytes(&mut self, cx: &mut Context<'_>, data: &[u8]) -> usize {
        let mut taken = 0;
        while self.asks_for_dma()
            && (self.direction == Direction::Write || self.direction.is_scan())
        {
            let writes = self.direction == Direction::Write;
            if self.data_pos >= self.data_len {
                self.finish_transfer(cx);
                break;
            }
            if writes && self.drive().is_read_only() {
                // QEMU reads what is around a part before it finds that out.
                if self.chunk().min(data.len()) == SECTOR {
                    self.refuse_to_write(cx);
                } else {
                    self.read_around(cx);
                }
                break;
            }
            self.fetch(cx);
            if self.requests.is_waiting() {
                break;
            }
            let rest = data.get(taken..).unwrap_or_default();
            let missing = self.chunk().saturating_sub(self.requests.partial);
            let part = missing.min(rest.len());
            let places = self.requests.given.iter_mut().skip(self.requests.partial);
            places.zip(&rest[..part]).for_each(|(place, byte)| *place = *byte);
            self.requests.partial += part;
            taken += part;
            if part < missing {
                break;
            }
            self.finish_given(cx);
        }
        taken
    }

    /// The channel has reached its terminal count.
    pub(crate) fn end_of_count(&mut self, cx: &mut Context<'_>) {
        if !self.transfers() {
            return;
        }
        if self.requests.is_waiting() && !self.requests.only_reads_ahead() {
            self.requests.counted_out = true;
        } else if self.requests.partial > 0 {
            self.requests.counted_out = true;
            self.finish_given(cx);
        } else {
            self.finish_transfer(cx);
        }
    }

    /// All that comes of a sector has come.
    fn finish_given(&mut self, cx: &mut Context<'_>) {
        if self.direction.is_scan() {
            self.compare(cx);
        } else if self.requests.partial == SECTOR {
            self.fifo = self.requests.given;
            self.write_given(cx);
        } else {
            self.read_around(cx);
        }
    }

    fn refuse_to_write(&mut self, cx: &mut Context<'_>) {
        self.stop(cx, St0::ABNORMAL_SEEK, st1::NOT_WRITABLE, 0);
    }

    /// What is around the given part is in the FIFO.
    pub(crate) fn merge(&mut self, cx: &mut Context<'_>) {
        if self.drive().is_read_only() {
            return self.refuse_to_write(cx);
        }
        let start = self.position();
        let given = self.requests.given.iter().take(self.requests.partial);
        self.fifo.iter_mut().skip(start).zip(given).for_each(|(place, byte)| *place = *byte);
        self.write_given(cx);
    }

    pub(crate) fn given_written(&mut self, cx: &mut Context<'_>, drive: usize, succeeded: bool) {
        if !succeeded {
            return self.stop(cx, St0::ABNORMAL_SEEK, 0, 0);
        }
        self.advance_given(cx, drive);
    }

    fn advance_given(&mut self, cx: &mut Context<'_>, drive: usize) {
        let part = std::mem::take(&mut self.requests.partial);
        let counted_out = self.requests.counted_out;
        self.advance_by(cx, drive, part);
        if counted_out && self.transfers() {
            self.finish_transfer(cx);
        }
    }

    /// A scan ends at data that fits, in QEMU always as if it were equal.
    fn compare(&mut self, cx: &mut Context<'_>) {
        self.fifo = self.held_here().unwrap_or([0; SECTOR]);
        let part = self.requests.partial;
        let end = (self.position() + part).min(SECTOR);
        let disk = &self.fifo[self.position()..end];
        let order = self.requests.given[..part.min(disk.len())].cmp(disk);
        let fits = match order {
            Ordering::Equal => true,
            Ordering::Less => self.direction == Direction::ScanLow,
            Ordering::Greater => self.direction == Direction::ScanHigh,
        };
        if fits {
            self.finish_transfer(cx);
        } else {
            self.advance_given(cx, self.current());
        }
    }

    /// So many bytes of the current sector of a drive are done.
    fn advance_by(&mut self, cx: &mut Context<'_>, drive: usize, part: usize) {
        self.data_pos = self.data_pos.wrapping_add(part as u32);
        let mut goes_on = self.data_pos < self.data_len;
        if self.position() == 0 {
            self.requests.held = None;
            goes_on &= self.next_sector(drive);
        }
        if !goes_on {
            self.finish_transfer(cx);
        }
    }
}
