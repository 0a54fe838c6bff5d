//! Data that goes through the data register.

use southbridge_sdk::Context;

use crate::ahead::MOST;
use crate::channel::Channel;
use crate::drive::Status;
use crate::request::Purpose;
use crate::transfer::Then;

impl Channel {
    /// Reads the data register; 0 if the drive has nothing to give.
    pub(crate) fn data_in(&mut self, cx: &mut Context<'_>, size: u8) -> u64 {
        let drive = self.drive();
        if !drive.status.data_request() || !drive.transfer.then.to_guest() {
            return 0;
        }
        let Some(value) = drive.transfer.take(size) else { return 0 };
        if drive.transfer.is_over() {
            self.end_transfer(cx);
        }
        value
    }

    /// Writes the data register.
    pub(crate) fn data_out(&mut self, cx: &mut Context<'_>, size: u8, value: u64) {
        let drive = self.drive();
        if !drive.status.data_request() || drive.transfer.then.to_guest() {
            return;
        }
        if drive.transfer.put(size, value) && drive.transfer.is_over() {
            self.end_transfer(cx);
        }
    }

    /// The guest is to move `size` bytes of the buffer.
    pub(crate) fn begin_transfer(&mut self, start: usize, size: usize, then: Then) {
        self.set_retry();
        let drive = self.drive();
        drive.transfer.begin(start, size, then);
        if !drive.status.error() {
            drive.status.set_data_request(true);
        }
    }

    fn end_transfer(&mut self, cx: &mut Context<'_>) {
        let drive = self.drive();
        drive.status.set_data_request(false);
        match drive.transfer.then {
            Then::Read => self.read_block(cx),
            Then::Write => self.write_block(cx),
            Then::Stop => drive.stop_transfer(),
            Then::Reply => self.go_on_replying(cx),
            Then::Packet => self.packet(cx),
            Then::Float => drive.transfer.float(),
        }
    }

    /// Sectors of the block that comes next.
    fn block(&self) -> u32 {
        let drive = self.selected();
        drive.sectors.min(drive.block.clamp(1, 256) as u32)
    }

    /// Reads the next block of a command, or ends it.
    pub(crate) fn read_block(&mut self, cx: &mut Context<'_>) {
        let count = self.block().into();
        let drive = self.drive();
        drive.status = Status::DONE;
        drive.error = 0;
        if drive.sectors == 0 {
            return drive.stop_transfer();
        }
        drive.status.set_busy(true);
        let Some(sector) = drive.on_medium(count) else { return self.fail(cx) };
        if drive.ahead.get(sector, count).is_some() {
            return self.give_block(cx, sector);
        }
        let most = if drive.ahead.careful { count } else { (MOST / 512) as u64 };
        let left = (drive.total() - sector).min(drive.sectors.into());
        let length = (count.max(left.min(most)) * 512) as u32;
        self.submit_read(cx, Purpose::ReadBlock, sector, length);
    }

    /// What was to be read is there, or is not.
    pub(crate) fn block_read(&mut self, cx: &mut Context<'_>, data: Option<Vec<u8>>) {
        let count = self.block().into();
        let drive = self.drive();
        let Some(sector) = drive.on_medium(count) else { return self.fail(cx) };
        match data {
            Some(data) => {
                drive.ahead.fill(sector, data);
                if drive.ahead.get(sector, count).is_some() {
                    self.give_block(cx, sector);
                } else {
                    self.fail(cx);
                }
            }
            None if drive.ahead.careful || u64::from(drive.sectors) <= count => self.fail(cx),
            None => {
                drive.ahead.careful = true;
                self.read_block(cx);
            }
        }
    }

    /// Gives the guest the block at a sector.
    fn give_block(&mut self, cx: &mut Context<'_>, sector: u64) {
        let count = self.block();
        let drive = self.drive();
        drive.status.set_busy(false);
        let bytes = drive.ahead.get(sector, count.into()).unwrap_or_default();
        let size = bytes.len();
        drive.transfer.buffer[..size].copy_from_slice(bytes);
        self.advance(count);
        self.begin_transfer(0, size, Then::Read);
        self.request_interrupt(cx);
    }

    /// The guest gives the next block.
    pub(crate) fn take_block(&mut self) {
        let size = self.block() as usize * 512;
        self.begin_transfer(0, size, Then::Write);
    }

    /// Writes the block that the guest has given.
    pub(crate) fn write_block(&mut self, cx: &mut Context<'_>) {
        let count = self.block();
        let drive = self.drive();
        drive.status = Status::DONE.with_busy(true);
        let Some(sector) = drive.on_medium(count.into()) else { return self.fail(cx) };
        self.submit_write(cx, sector, count as usize * 512);
    }

    /// The block is written.
    pub(crate) fn block_written(&mut self, cx: &mut Context<'_>) {
        self.drive().status.set_busy(false);
        self.advance(self.block());
        if self.selected().sectors == 0 {
            self.drive().stop_transfer();
        } else {
            self.take_block();
        }
        self.request_interrupt(cx);
    }

    /// The command goes on behind so many sectors.
    pub(crate) fn advance(&mut self, count: u32) {
        let drive = self.drive();
        drive.set_address(drive.address().wrapping_add(count.into()));
        drive.sectors = drive.sectors.saturating_sub(count);
    }

    /// The command could not be carried out.
    pub(crate) fn fail(&mut self, cx: &mut Context<'_>) {
        self.drive().abort();
        self.request_interrupt(cx);
    }
}
