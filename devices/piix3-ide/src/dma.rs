//! Data that the bus master moves.

use southbridge_sdk::Context;
use southbridge_sdk::wit::Piece;

use crate::bus_master::Gathered;
use crate::channel::Channel;
use crate::drive::Status;
use crate::request::Purpose;

/// What moves data by DMA, with the numbers by which it is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dma {
    Read = 1,
    Write = 2,
    /// The ranges of DATA SET MANAGEMENT.
    Trim = 3,
    /// A packet's data.
    Packet = 4,
}

impl Dma {
    pub(crate) const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Trim, Self::Packet];
}

/// Bytes that one read of the guest's memory brings at most.
const MOST_AT_ONCE: u32 = 0x1_0000;

impl Channel {
    /// A disk's command has data to move.
    pub(crate) fn start_data_dma(&mut self, cx: &mut Context<'_>, dma: Dma) {
        self.drive().status = Status::DONE.with_data_request(true);
        self.start_dma(cx, dma);
    }

    /// Data is to be moved as soon as the bus master is started.
    pub(crate) fn start_dma(&mut self, cx: &mut Context<'_>, dma: Dma) {
        self.set_retry();
        self.dma = Some(dma);
        self.bus_master.forget_descriptor();
        if self.bus_master.status.active() {
            self.run_dma(cx);
        }
    }

    /// Writes a register of the bus master. Software that stops it while data moves
    /// sees what it would see if the transfer had been faster: it comes to its end.
    pub(crate) fn write_bus_master(
        &mut self,
        cx: &mut Context<'_>,
        offset: u64,
        size: u8,
        value: u64,
    ) {
        if self.bus_master.write(offset, size, value) && self.request.is_none() {
            self.run_dma(cx);
        }
    }

    pub(crate) fn run_dma(&mut self, cx: &mut Context<'_>) {
        match self.dma {
            Some(Dma::Packet) => self.run_packet_dma(cx),
            Some(dma) => self.run_data_dma(cx, dma),
            None => {}
        }
    }

    fn run_data_dma(&mut self, cx: &mut Context<'_>, dma: Dma) {
        let sectors = u64::from(self.selected().sectors);
        if sectors == 0 {
            return self.data_moved(cx);
        }
        let Gathered { pieces, bytes } = self.bus_master.gather_all(cx, sectors * 512);
        if bytes < sectors * 512 {
            // The table ends too soon: no longer active, and no interrupt
            // (Programming Interface for Bus Master IDE, 3.1).
            self.drive().status = Status::DONE;
            return self.end_dma(false);
        }
        match (dma, self.selected().on_medium(sectors)) {
            (Dma::Trim, _) if self.ranges_are_on_medium(cx, &pieces) => self.data_moved(cx),
            (Dma::Read, Some(sector)) => {
                self.submit_to_memory(cx, Purpose::Data, sector, &pieces);
            }
            (Dma::Write, Some(sector)) => self.submit_from_memory(cx, sector, &pieces),
            _ => self.fail_dma(cx),
        }
    }

    /// Whether the data that has been moved is to be flushed.
    pub(crate) fn must_flush(&self) -> bool {
        self.dma == Some(Dma::Write) && !self.selected().write_cache
    }

    /// All data of a disk's command has been moved.
    pub(crate) fn data_moved(&mut self, cx: &mut Context<'_>) {
        self.advance(self.selected().sectors);
        self.drive().status = Status::DONE;
        self.request_interrupt(cx);
        self.end_dma(self.bus_master.longer);
    }

    pub(crate) fn fail_dma(&mut self, cx: &mut Context<'_>) {
        self.drive().abort();
        self.end_dma(false);
        self.request_interrupt(cx);
    }

    /// The bus master has nothing more to move; it stays active if its table says
    /// that there is more.
    pub(crate) fn end_dma(&mut self, active: bool) {
        self.dma = None;
        self.clear_retry();
        self.bus_master.status.set_active(active);
    }

    /// The ranges of DATA SET MANAGEMENT (ATA8-ACS, 7.10): a first sector of 48 bits
    /// and a count of 16. What is in trimmed sectors stays as it is.
    fn ranges_are_on_medium(&self, cx: &mut Context<'_>, pieces: &[Piece]) -> bool {
        let total = self.selected().total();
        let mut range = Vec::with_capacity(8);
        for piece in pieces {
            let mut done = 0;
            while done < piece.length {
                let length = (piece.length - done).min(MOST_AT_ONCE);
                for byte in cx.dma_read(piece.address.wrapping_add(done.into()), length) {
                    range.push(byte);
                    if range.len() == 8 {
                        let value = range.iter().rev().fold(0, |v, b| v << 8 | u64::from(*b));
                        let (first, count) = (value & 0xffff_ffff_ffff, value >> 48);
                        if count != 0 && total.checked_sub(first).is_none_or(|left| count > left) {
                            return false;
                        }
                        range.clear();
                    }
                }
                done += length;
            }
        }
        true
    }
}
