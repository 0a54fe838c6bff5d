//! The window's addresses as QEMU has them from 9.0 on: odd/even addressing reaches
//! the maps through the latches like all else, and the CRT controller's word and
//! doubleword modes count.

use southbridge_sdk::Context;

use crate::core::Core;
use crate::description::{VRAM, VRAM_SIZE};
use crate::regs::{crtc, graphics};
use crate::window::{repeat, spread};

/// A byte of each map, for as long as an access stays at one address.
#[derive(Default)]
struct Maps {
    at: Option<u64>,
    bytes: u32,
    changed: bool,
}

impl Maps {
    fn go_to(&mut self, cx: &mut Context<'_>, at: u64) {
        if self.at != Some(at) {
            self.leave(cx);
            let bytes = cx.memory_load(VRAM, at, 4) as u32;
            *self = Self { at: Some(at), bytes, changed: false };
        }
    }

    fn leave(&self, cx: &mut Context<'_>) {
        if let (Some(at), true) = (self.at, self.changed) {
            cx.memory_store(VRAM, at, 4, self.bytes.into());
        }
    }
}

impl Core {
    /// Where the maps' bytes are for an address; none beyond the memory. `words`
    /// says that odd addresses are other maps' at the even ones.
    fn maps_at(&self, at: u64, words: bool) -> Option<u64> {
        let at = match (self.memory_mode().chain_4(), self.miscellaneous().chain()) {
            (true, _) => at & !3,
            (false, true) => at & !1,
            (false, false) => at,
        };
        let shift = if self.cr[crtc::UNDERLINE] & crtc::DOUBLEWORD != 0 {
            2
        } else {
            u32::from(words && !self.crt_mode().byte_mode())
        };
        let at = (at >> shift) * 4;
        (at < VRAM_SIZE).then_some(at)
    }

    /// The map that a read gets in read mode 0.
    fn map_read(&self, at: u64) -> u8 {
        let map = self.gr[graphics::READ_MAP] & 3;
        if self.graphics_mode().odd_even() { map & 2 | (at & 1) as u8 } else { map }
    }

    /// The maps that a write reaches.
    fn maps_written(&self, at: u64) -> u8 {
        let reached = if self.memory_mode().chain_4() {
            1 << (at & 3)
        } else if self.memory_mode().sequential() {
            0b1111
        } else {
            0b0101 << (at & 1)
        };
        self.map_mask() & reached
    }

    /// Reads `size` bytes.
    pub(crate) fn read_words(&mut self, cx: &mut Context<'_>, at: u64, size: u8) -> u64 {
        let (mut maps, chain_4) = (Maps::default(), self.memory_mode().chain_4());
        let mut value = 0;
        for index in 0..u64::from(size) {
            let at = at + index;
            let byte = match self.maps_at(at, self.graphics_mode().odd_even()) {
                None => 0xff,
                Some(place) if chain_4 => {
                    maps.go_to(cx, place);
                    (maps.bytes >> (8 * (at & 3))) as u8
                }
                Some(place) => {
                    maps.go_to(cx, place);
                    self.latch = maps.bytes;
                    self.byte_of(maps.bytes, self.map_read(at))
                }
            };
            value |= u64::from(byte) << (8 * index);
        }
        value
    }

    /// Writes `size` bytes.
    pub(crate) fn write_words(&self, cx: &mut Context<'_>, at: u64, size: u8, value: u64) {
        let (mut maps, chain_4) = (Maps::default(), self.memory_mode().chain_4());
        for (at, byte) in (at..).zip(value.to_le_bytes()).take(size.into()) {
            let mask = self.maps_written(at);
            if let Some(place) = self.maps_at(at, !self.memory_mode().sequential())
                && mask != 0
            {
                maps.go_to(cx, place);
                let mask = spread(mask);
                let bytes = if chain_4 { repeat(byte) } else { self.maps_from(byte) };
                maps.bytes = maps.bytes & !mask | bytes & mask;
                maps.changed = true;
            }
        }
        maps.leave(cx);
    }
}
