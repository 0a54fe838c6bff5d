//! The window at 0xa0000, through which processors reach the video memory: the
//! sequencer and the graphics controller between them and the maps.

use southbridge_sdk::Context;

use crate::core::Core;
use crate::description::{VRAM, VRAM_SIZE};
use crate::regs::{DataRotate, graphics};

/// A byte of each of four maps from a bit for each.
pub(crate) const fn spread(maps: u8) -> u32 {
    let mut bytes = 0;
    let mut map = 0;
    while map < 4 {
        if maps >> map & 1 != 0 {
            bytes |= 0xff << (8 * map);
        }
        map += 1;
    }
    bytes
}

pub(crate) const fn repeat(byte: u8) -> u32 {
    byte as u32 * 0x0101_0101
}

impl Core {
    /// Where an offset in the window leads, by the memory map; none if nothing
    /// answers.
    fn locate(&self, offset: u64) -> Option<u64> {
        let (first, size, base) = match self.miscellaneous().memory_map() {
            0 => (0, 0x2_0000, 0),
            1 => (0, 0x1_0000, u64::from(self.dispi.bank_offset)),
            2 => (0x1_0000, 0x8000, 0),
            _ => (0x1_8000, 0x8000, 0),
        };
        let at = offset.checked_sub(first)?;
        (at < size).then_some(base + at)
    }

    /// Reads `size` bytes, aligned.
    pub(crate) fn window_read(&mut self, cx: &mut Context<'_>, offset: u64, size: u8) -> u64 {
        let Some(at) = self.locate(offset) else { return u64::MAX };
        let chain_4 = self.memory_mode().chain_4();
        if self.plain || chain_4 && !self.word_modes {
            return cx.memory_load(VRAM, at, size);
        }
        if self.word_modes {
            return self.read_words(cx, at, size);
        }
        let odd_even = self.graphics_mode().odd_even();
        let mut value = 0;
        let mut done = 0;
        while done < size {
            let width = (size - done).min(2);
            let at = at + u64::from(done);
            let part = if odd_even {
                self.read_odd_even(cx, at, width)
            } else {
                self.read_maps(cx, at, width)
            };
            value |= u64::from(part) << (8 * done);
            done += width;
        }
        value
    }

    /// Where a byte is with odd/even addressing; that of the odd address follows
    /// that of the even one before it.
    fn odd_even(&self, at: u64) -> Option<u64> {
        let map = u64::from(self.gr[graphics::READ_MAP] & 2) | at & 1;
        let at = (at & !1) << 1 | map;
        (at < VRAM_SIZE).then_some(at)
    }

    fn read_odd_even(&self, cx: &mut Context<'_>, at: u64, width: u8) -> u16 {
        self.odd_even(at).map_or(0xffff, |at| cx.memory_load(VRAM, at, width) as u16)
    }

    /// Reads one byte or two of all maps into the latches, and what the read mode
    /// makes of them.
    fn read_maps(&mut self, cx: &mut Context<'_>, at: u64, width: u8) -> u16 {
        let at = at * 4;
        if at >= VRAM_SIZE {
            return 0xffff;
        }
        let maps = cx.memory_load(VRAM, at, 4 * width);
        let map = self.gr[graphics::READ_MAP] & 3;
        let low = self.byte_of(maps as u32, map);
        if width == 1 {
            self.latch = maps as u32;
            return low.into();
        }
        self.latch = (maps >> 32) as u32;
        u16::from_le_bytes([low, self.byte_of(self.latch, map)])
    }

    /// Read modes 0 and 1.
    pub(crate) fn byte_of(&self, maps: u32, map: u8) -> u8 {
        if !self.graphics_mode().compare() {
            return (maps >> (8 * map)) as u8;
        }
        let differs = (maps ^ spread(self.gr[graphics::COLOR_COMPARE]))
            & spread(self.gr[graphics::COLOR_CARE]);
        let [a, b, c, d] = differs.to_le_bytes();
        !(a | b | c | d)
    }

    /// Writes `size` bytes, aligned.
    pub(crate) fn window_write(&self, cx: &mut Context<'_>, offset: u64, size: u8, value: u64) {
        let Some(at) = self.locate(offset) else { return };
        let chain_4 = self.memory_mode().chain_4();
        if self.plain {
            cx.memory_store(VRAM, at, size, value);
            return;
        }
        if self.word_modes {
            self.write_words(cx, at, size, value);
            return;
        }
        let odd_even = self.graphics_mode().odd_even();
        let mut done = 0;
        while done < size {
            let width = (size - done).min(2);
            let at = at + u64::from(done);
            let part = (value >> (8 * done)) as u16;
            if chain_4 {
                self.write_masked(cx, at, width, (at & 3) as u8, part);
            } else if odd_even {
                let map = self.gr[graphics::READ_MAP] & 2 | (at & 1) as u8;
                if let Some(at) = self.odd_even(at) {
                    self.write_masked(cx, at, width, map, part);
                }
            } else {
                self.write_maps(cx, at, width, part);
            }
            done += width;
        }
    }

    /// Writes one byte or two that lie one behind the other, in the maps from
    /// `map` on, where the map mask lets them be written.
    fn write_masked(&self, cx: &mut Context<'_>, at: u64, width: u8, map: u8, value: u16) {
        let writable = self.map_mask() >> map;
        match (width, writable & 3) {
            (2, 3) => cx.memory_store(VRAM, at, 2, value.into()),
            (2, 2) => cx.memory_store(VRAM, at + 1, 1, u64::from(value >> 8)),
            (_, 1 | 3) => cx.memory_store(VRAM, at, 1, u64::from(value & 0xff)),
            _ => {}
        }
    }

    /// Writes one byte or two to all maps, as the write mode says.
    fn write_maps(&self, cx: &mut Context<'_>, at: u64, width: u8, value: u16) {
        let at = at * 4;
        if at >= VRAM_SIZE {
            return;
        }
        let [low, high] = value.to_le_bytes();
        let mask = spread(self.map_mask());
        let (mut bytes, mut mask) = (u64::from(self.maps_from(low)), u64::from(mask));
        let mut all = u64::from(u32::MAX);
        if width == 2 {
            bytes |= u64::from(self.maps_from(high)) << 32;
            mask |= mask << 32;
            all = u64::MAX;
        }
        if mask == 0 {
            return;
        }
        if mask != all {
            bytes = bytes & mask | cx.memory_load(VRAM, at, 4 * width) & !mask;
        }
        cx.memory_store(VRAM, at, 4 * width, bytes);
    }

    /// Write modes 0 to 3: a byte for each map from the processor's byte and the
    /// latches.
    pub(crate) fn maps_from(&self, byte: u8) -> u32 {
        let rotate = DataRotate::from_bits(self.gr[graphics::DATA_ROTATE]);
        let rotated = byte.rotate_right(rotate.count().into());
        let set_reset = spread(self.gr[graphics::SET_RESET]);
        let mut mask = self.gr[graphics::BIT_MASK];
        let data = match self.graphics_mode().write_mode() {
            0 => {
                let set = spread(self.gr[graphics::ENABLE_SET_RESET]);
                repeat(rotated) & !set | set_reset & set
            }
            1 => return self.latch,
            2 => spread(byte & 0xf),
            _ => {
                mask &= rotated;
                set_reset
            }
        };
        let data = match rotate.function() {
            0 => data,
            1 => data & self.latch,
            2 => data | self.latch,
            _ => data ^ self.latch,
        };
        let mask = repeat(mask);
        data & mask | self.latch & !mask
    }
}
