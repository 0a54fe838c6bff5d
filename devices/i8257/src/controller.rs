//! The registers of one controller, as a guest reaches them.

use southbridge_sdk::Context;

use crate::Block;
use crate::regs::{DISABLE, Mode, Select, Status, control};

/// The channel of each page register, by the low three bits of its port.
const PAGE_CHANNELS: [Option<usize>; 8] =
    [None, Some(2), Some(3), Some(1), None, None, None, Some(0)];

/// A channel.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Channel {
    /// Where the transfer began, in bytes, and how many bytes it has come from
    /// there.
    pub(crate) address: i32,
    pub(crate) position: i32,
    pub(crate) base_address: u16,
    pub(crate) base_count: u16,
    pub(crate) mode: Mode,
    pub(crate) page: u8,
    pub(crate) high_page: u8,
    /// Two bytes of QEMU's state that mean nothing.
    pub(crate) dack: u8,
    pub(crate) eop: u8,
}

/// A controller.
#[derive(Debug)]
pub(crate) struct Controller {
    /// 0 if its channels transfer bytes, 1 for words.
    pub(crate) shift: u8,
    pub(crate) command: u8,
    pub(crate) mask: u8,
    pub(crate) status: Status,
    /// Whether the upper byte of an address or a count comes next.
    pub(crate) upper_byte: bool,
    pub(crate) channels: [Channel; 4],
}

impl Controller {
    pub(crate) fn new(shift: u8) -> Self {
        Self {
            shift,
            command: 0,
            mask: 0xff,
            status: Status::new(),
            upper_byte: false,
            channels: [Channel::default(); 4],
        }
    }

    /// Master clear, which a reset is as well: requests that are high are forgotten.
    pub(crate) fn clear(&mut self) {
        (self.command, self.mask, self.upper_byte) = (0, 0xff, false);
        self.status = Status::new();
    }

    /// A request line has changed.
    pub(crate) fn request(&mut self, cx: &mut Context<'_>, channel: usize, level: bool) {
        let bit = 1 << channel;
        let request = self.status.request();
        self.status.set_request(if level { request | bit } else { request & !bit });
        if level {
            self.run(cx);
        }
    }

    pub(crate) fn read_channel(&mut self, offset: u64) -> u8 {
        let (channel, is_count) = self.register(offset);
        let Channel { address, position, base_count, mode, .. } = self.channels[channel];
        let value = if is_count {
            (i32::from(base_count) << self.shift).wrapping_sub(position)
        } else if mode.decrement() {
            address.wrapping_sub(position)
        } else {
            address.wrapping_add(position)
        };
        (value >> (self.shift + 8 * u8::from(self.next_byte()))) as u8
    }

    /// The byte pointer decides which half is written; the upper one starts the
    /// channel anew.
    pub(crate) fn write_channel(&mut self, offset: u64, byte: u8) {
        let (number, is_count) = self.register(offset);
        let (shift, is_upper) = (self.shift, self.next_byte());
        let channel = &mut self.channels[number];
        let base = if is_count { &mut channel.base_count } else { &mut channel.base_address };
        let [lower, upper] = base.to_le_bytes();
        *base = u16::from_le_bytes(if is_upper { [lower, byte] } else { [byte, upper] });
        if is_upper {
            channel.address = i32::from(channel.base_address) << shift;
            channel.position = 0;
        }
    }

    /// What cannot be read is zero.
    pub(crate) fn read_control(&mut self, offset: u64) -> u8 {
        match offset >> self.shift {
            control::STATUS => {
                let status = self.status;
                self.status.set_terminal_count(0);
                status.into()
            }
            control::MASK => self.mask,
            _ => 0,
        }
    }

    pub(crate) fn write_control(&mut self, cx: &mut Context<'_>, offset: u64, byte: u8) {
        match offset >> self.shift {
            control::COMMAND if byte & !DISABLE == 0 => self.command = byte,
            control::REQUEST => {
                let select = Select::from_bits(byte);
                let bit = 1 << select.channel();
                let (request, ended) = (self.status.request(), self.status.terminal_count());
                self.status.set_request(if select.set() { request | bit } else { request & !bit });
                self.status.set_terminal_count(ended & !bit);
                self.run(cx);
            }
            control::SINGLE_MASK => {
                let select = Select::from_bits(byte);
                let bit = 1 << select.channel();
                if select.set() {
                    self.mask |= bit;
                } else {
                    self.mask &= !bit;
                    self.run(cx);
                }
            }
            control::MODE => {
                let mode = Mode::from_bits(byte);
                self.channels[usize::from(mode.channel())].mode = mode;
            }
            control::CLEAR_POINTER => self.upper_byte = false,
            control::MASTER_CLEAR => self.clear(),
            control::CLEAR_MASK => {
                self.mask = 0;
                self.run(cx);
            }
            control::ALL_MASK => {
                self.mask = byte;
                self.run(cx);
            }
            _ => {}
        }
    }

    /// The page register at a port.
    pub(crate) fn page(&mut self, port: u64, block: Block) -> Option<&mut u8> {
        let channel = &mut self.channels[PAGE_CHANNELS[(port & 7) as usize]?];
        match block {
            Block::Pages => Some(&mut channel.page),
            Block::HighPages => Some(&mut channel.high_page),
            Block::Channels | Block::Control => None,
        }
    }

    /// The channel of a register, and whether it is the count.
    const fn register(&self, offset: u64) -> (usize, bool) {
        let register = (offset >> self.shift) as usize;
        ((register / 2) & 3, register % 2 == 1)
    }

    /// Moves the byte pointer on; returns whether it was at the upper byte.
    const fn next_byte(&mut self) -> bool {
        self.upper_byte = !self.upper_byte;
        !self.upper_byte
    }
}
