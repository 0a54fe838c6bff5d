//! How a packet command's data gets to the guest (ATA/ATAPI-4, 9.7 and 9.8).

use southbridge_sdk::Context;

use super::{OVER, REASON, TO_GUEST};
use crate::ahead::MOST;
use crate::bus_master::Gathered;
use crate::channel::Channel;
use crate::dma::Dma;
use crate::drive::Status;
use crate::request::Purpose;
use crate::transfer::{BUFFER, Then};

/// Bytes of a block: its data, and all of a sector.
pub(super) const DATA: i32 = 2048;
pub(super) const RAW: i32 = 2352;

/// Blocks that are read ahead.
const AHEAD: u64 = (MOST / DATA as usize) as u64;
/// The most blocks of one request whose sectors are put together here.
const RAW_AT_ONCE: i32 = 64;

impl Channel {
    /// `size` bytes of the buffer are the answer.
    pub(super) fn reply(&mut self, cx: &mut Context<'_>, size: u32) {
        let drive = self.drive();
        let size = size.min(BUFFER as u32) as i32;
        let packet = &mut drive.packet;
        (packet.block, packet.left, packet.reply, packet.announced) = (-1, size, size, 0);
        if packet.dma {
            drive.status = Status::DONE.with_data_request(true);
            self.start_dma(cx, Dma::Packet);
        } else {
            drive.status = Status::DONE;
            packet.index = 0;
            self.go_on_replying(cx);
        }
    }

    /// Blocks of the medium are the answer. QEMU counts their bytes in 32 bits.
    pub(super) fn read_blocks(&mut self, cx: &mut Context<'_>, first: u32, count: u32, size: i32) {
        let drive = self.drive();
        let packet = &mut drive.packet;
        packet.block = first as i32;
        packet.left = (count as i32).wrapping_mul(size);
        packet.block_size = size;
        if packet.dma {
            packet.reply = 0;
            drive.status = Status::DONE.with_data_request(true).with_busy(true);
            self.start_dma(cx, Dma::Packet);
        } else {
            (packet.announced, packet.index) = (0, size);
            self.go_on_replying(cx);
        }
    }

    /// Hands out the next bytes of an answer through the data register, or ends it.
    pub(crate) fn go_on_replying(&mut self, cx: &mut Context<'_>) {
        let drive = self.drive();
        let packet = &mut drive.packet;
        if packet.left <= 0 {
            return self.end_packet(cx);
        }
        let of_medium = packet.block != -1;
        if of_medium && packet.index >= packet.block_size {
            if packet.announced == 0 {
                return self.read_cd_block(cx);
            }
            // More than a block was announced: the rest has been read ahead.
            if !self.take_cd_block() {
                return self.fail_reading(cx);
            }
        }
        let limit = self.selected().byte_count();
        let packet = &mut self.drive().packet;
        let in_block = packet.block_size.saturating_sub(packet.index).max(0);
        let mut size = packet.announced;
        if size > 0 {
            size = size.min(in_block);
        } else {
            let left = packet.left;
            size = if left > limit { limit & !1 } else { left };
            packet.announced = size;
            let announced = size;
            if of_medium {
                size = size.min(in_block);
            }
            let drive = self.drive();
            drive.sectors = drive.sectors & !REASON | TO_GUEST;
            [drive.cylinder_low.current, drive.cylinder_high.current, ..] = announced.to_le_bytes();
            self.request_interrupt(cx);
        }
        let packet = &mut self.drive().packet;
        if size <= 0 || packet.index < 0 {
            // Only a state that no drive has been in leads here.
            return self.fail_reading(cx);
        }
        let start = packet.index;
        packet.left -= size;
        packet.announced -= size;
        packet.index = packet.index.saturating_add(size);
        self.begin_transfer(start as usize, size as usize, Then::Reply);
    }

    /// The sectors of 512 bytes of the next block, if it can be read at all.
    fn block_sector(&self) -> Option<u64> {
        let packet = &self.selected().packet;
        let known = matches!(packet.block_size, DATA | RAW);
        (known && packet.block >= 0).then_some(packet.block as u64 * 4)
    }

    /// Reads the next block, and those that will be asked for soon.
    pub(crate) fn read_cd_block(&mut self, cx: &mut Context<'_>) {
        if self.take_cd_block() {
            self.drive().status.set_busy(false);
            return self.go_on_replying(cx);
        }
        let Some(sector) = self.block_sector() else { return self.fail_reading(cx) };
        let drive = self.drive();
        let packet = &drive.packet;
        let wanted = (packet.left.max(1) as u64).div_ceil(packet.block_size as u64);
        let there = drive.blocks().saturating_sub(packet.block as u64);
        let count = wanted.min(there).clamp(1, AHEAD);
        drive.status.set_busy(true);
        self.submit_read(cx, Purpose::CdBlock, sector, count as u32 * DATA as u32);
    }

    /// Blocks have been read, or have not.
    pub(crate) fn cd_block_read(&mut self, cx: &mut Context<'_>, data: Option<Vec<u8>>) {
        let Some((sector, data)) = self.block_sector().zip(data) else {
            return self.fail_reading(cx);
        };
        self.drive().ahead.fill(sector, data);
        if self.take_cd_block() {
            self.drive().status.set_busy(false);
            self.go_on_replying(cx);
        } else {
            self.fail_reading(cx);
        }
    }

    /// Puts the next block into the buffer if it has been read.
    fn take_cd_block(&mut self) -> bool {
        let sector = self.block_sector();
        let drive = self.drive();
        let Some(data) = sector.and_then(|sector| drive.ahead.get(sector, 4)) else { return false };
        let packet = &mut drive.packet;
        if packet.block_size == RAW {
            raw(data, packet.block, &mut drive.transfer.buffer[..RAW as usize]);
        } else {
            drive.transfer.buffer[..DATA as usize].copy_from_slice(data);
        }
        packet.block = packet.block.saturating_add(1);
        packet.index = 0;
        true
    }

    /// The bus master is there for a packet's data.
    pub(crate) fn run_packet_dma(&mut self, cx: &mut Context<'_>) {
        let drive = self.drive();
        let packet = &mut drive.packet;
        if packet.block == -1 && packet.left > 0 {
            let size = packet.reply.clamp(0, BUFFER as i32) as usize;
            packet.left = 0;
            let data = drive.transfer.buffer[..size].to_vec();
            if !self.scatter(cx, &data) {
                return self.end_dma(false);
            }
        }
        let packet = &self.selected().packet;
        if packet.left <= 0 {
            return self.end_packet_dma(cx);
        }
        let Some(sector) = self.block_sector() else { return self.fail_cd_dma(cx) };
        let packet = &self.selected().packet;
        if packet.block_size == RAW {
            let count = (packet.left / RAW).clamp(1, RAW_AT_ONCE) as u32;
            return self.submit_read(cx, Purpose::CdRaw, sector, count * DATA as u32);
        }
        let mut gathered = self.bus_master.gather(cx, packet.left as u64);
        if gathered.bytes == 0 {
            return self.end_dma(false);
        }
        // A table that ends too soon leaves the command where it is, as in QEMU.
        self.drive().packet.reply = gathered.bytes as i32;
        gathered.fill_sector();
        self.submit_to_memory(cx, Purpose::CdData, sector, &gathered.pieces);
    }

    /// What the table has room for has been moved.
    pub(crate) fn cd_data_moved(&mut self, cx: &mut Context<'_>) {
        let packet = &mut self.drive().packet;
        packet.left = packet.left.saturating_sub(packet.reply);
        if packet.left > 0 {
            return self.end_dma(false);
        }
        self.end_packet_dma(cx);
    }

    /// Blocks for whole sectors have been read.
    pub(crate) fn cd_raw_read(&mut self, cx: &mut Context<'_>, data: &[u8]) {
        let packet = &mut self.drive().packet;
        let mut sectors = vec![0; data.len() / DATA as usize * RAW as usize];
        for (block, sector) in
            data.chunks_exact(DATA as usize).zip(sectors.chunks_exact_mut(RAW as usize))
        {
            raw(block, packet.block, sector);
            packet.block = packet.block.saturating_add(1);
            packet.left = packet.left.saturating_sub(RAW);
        }
        if sectors.is_empty() {
            return self.fail_cd_dma(cx);
        }
        if !self.scatter(cx, &sectors) {
            return self.end_dma(false);
        }
        self.run_packet_dma(cx);
    }

    fn end_packet_dma(&mut self, cx: &mut Context<'_>) {
        let drive = self.drive();
        drive.status = Status::DONE;
        drive.sectors = drive.sectors & !REASON | OVER;
        self.request_interrupt(cx);
        self.end_dma(false);
    }

    pub(crate) fn fail_cd_dma(&mut self, cx: &mut Context<'_>) {
        self.fail_reading(cx);
        self.end_dma(false);
    }

    /// Writes bytes where the table says; returns whether it has room for all.
    fn scatter(&mut self, cx: &mut Context<'_>, data: &[u8]) -> bool {
        let Gathered { pieces, bytes } = self.bus_master.gather(cx, data.len() as u64);
        let mut rest = data;
        for piece in pieces {
            let (part, after) = rest.split_at(rest.len().min(piece.length as usize));
            cx.dma_write(piece.address, part);
            rest = after;
        }
        bytes == data.len() as u64
    }

    /// The packet that goes on with what is in progress, where the state is loaded.
    pub(crate) fn saved_packet(&self) -> [u8; 12] {
        let packet = &self.selected().packet;
        if self.request.is_none_or(|request| request.purpose != Purpose::CdBlock) {
            return packet.command;
        }
        let [_, c2, c3, c4] = packet.left.checked_div(packet.block_size).unwrap_or(0).to_be_bytes();
        let [b1, b2, b3, b4] = packet.block.to_be_bytes();
        if packet.block_size == RAW {
            [super::code::READ_CD, 0, b1, b2, b3, b4, c2, c3, c4, 0xf8, 0, 0]
        } else {
            [super::code::READ_12, 0, b1, b2, b3, b4, 0, c2, c3, c4, 0, 0]
        }
    }
}

/// A whole sector of mode 1, without the bytes that correct errors (ECMA-130,
/// clause 14).
fn raw(data: &[u8], block: i32, sector: &mut [u8]) {
    sector.fill(0);
    sector[1..11].fill(0xff);
    sector[12..15].copy_from_slice(&minutes(block as u32));
    sector[15] = 1;
    sector[16..16 + data.len()].copy_from_slice(data);
}

/// A block's address as minutes, seconds and frames.
pub(super) fn minutes(block: u32) -> [u8; 3] {
    let frames = block.wrapping_add(150);
    [(frames / 75 / 60) as u8, (frames / 75 % 60) as u8, (frames % 75) as u8]
}
