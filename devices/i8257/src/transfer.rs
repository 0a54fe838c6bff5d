//! Moving data between memory and the devices.

use southbridge_sdk::Context;

use crate::BUS;
use crate::controller::{Channel, Controller};
use crate::regs::Transfer;

/// What the bus moves in one call.
const MOST: u32 = 1 << 16;

/// What QEMU's floppy disk controller moves in one call. It can be told when the
/// address counts down.
const SECTOR: u32 = 512;

impl Controller {
    /// Serves the channels that are asked and not masked. As in QEMU this does not
    /// depend on the command register.
    pub(crate) fn run(&mut self, cx: &mut Context<'_>) {
        for number in 0..self.channels.len() {
            if self.status.request() & !self.mask & 1 << number != 0 {
                self.serve(cx, number);
            }
        }
    }

    /// One round of a channel: until the device has no more, or to the terminal
    /// count. A channel that is there already starts again, and not before, so that the
    /// guest finds the end of the last transfer: in QEMU it does so also if it does not
    /// initialize itself.
    fn serve(&mut self, cx: &mut Context<'_>, number: usize) {
        let channel = &mut self.channels[number];
        let bus_channel = number as u8 + 4 * self.shift;
        let size = (u32::from(channel.base_count) + 1) << self.shift;
        let mut position = u32::try_from(channel.position).unwrap_or(0);
        if position >= size {
            position = 0;
        }
        let most = if channel.mode.decrement() { SECTOR } else { MOST };
        while position < size {
            let wanted = (size - position).min(most);
            let moved = channel.transfer(cx, bus_channel, position, wanted).min(wanted);
            position += moved;
            if moved < wanted {
                break;
            }
        }
        channel.position = position as i32;
        if position == size {
            self.status.set_terminal_count(self.status.terminal_count() | 1 << number);
            cx.isa_dma_terminal_count(BUS, bus_channel);
        }
    }
}

impl Channel {
    /// Moves up to `wanted` bytes; returns how many it were. As in QEMU the device
    /// decides on the direction: the mode says which is tried first.
    fn transfer(&self, cx: &mut Context<'_>, number: u8, position: u32, wanted: u32) -> u32 {
        let fetches_first = self.mode.transfer() == Transfer::Read;
        [fetches_first, !fetches_first]
            .into_iter()
            .map(|fetches| {
                if fetches {
                    self.fetch(cx, number, position, wanted)
                } else {
                    self.store(cx, number, position, wanted)
                }
            })
            .find(|moved| *moved > 0)
            .unwrap_or(0)
    }

    fn store(&self, cx: &mut Context<'_>, number: u8, position: u32, wanted: u32) -> u32 {
        let mut data = cx.isa_dma_take(BUS, number, wanted);
        data.truncate(wanted as usize);
        let moved = data.len() as u32;
        if moved > 0 && !self.only_verifies() {
            cx.dma_write(self.at(position, moved), &data);
        }
        moved
    }

    fn fetch(&self, cx: &mut Context<'_>, number: u8, position: u32, wanted: u32) -> u32 {
        let data = if self.only_verifies() {
            vec![0; wanted as usize]
        } else {
            let mut data = cx.dma_read(self.at(position, wanted), wanted);
            if self.mode.decrement() {
                data.reverse();
            }
            data
        };
        cx.isa_dma_give(BUS, number, &data)
    }

    fn only_verifies(&self) -> bool {
        self.mode.transfer() == Transfer::Verify
    }

    /// The lowest of `length` addresses at a position. As in QEMU the address counts
    /// on beyond the page, bits that page and address have in common are not added,
    /// and when it counts down, the data is below it; what a device gives is not
    /// turned round then.
    fn at(&self, position: u32, length: u32) -> u64 {
        let page = u32::from(self.high_page & 0x7f) << 24 | u32::from(self.page) << 16;
        let start = page | self.address as u32;
        u64::from(if self.mode.decrement() {
            start.wrapping_sub(position).wrapping_sub(length)
        } else {
            start.wrapping_add(position)
        })
    }
}
