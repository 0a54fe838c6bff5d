//! How bytes become pixels.

use super::palette::Rgb;
use super::put;
use crate::core::Core;
use crate::regs::attribute;

/// What a pixel is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// A bit of each map.
    Four,
    /// Two bits of maps 0 and 1, each with two of maps 2 and 3 (CGA).
    Two,
    /// A byte, shown twice.
    Wide,
    /// A byte.
    Eight,
    /// 5 bits of each colour.
    Fifteen,
    /// 5, 6 and 5 bits.
    Sixteen,
    /// Blue, green, red.
    TwentyFour,
    /// The same with a byte behind.
    ThirtyTwo,
}

impl Format {
    pub(super) fn of(core: &Core) -> Self {
        let depth = if core.dispi.enabled() { core.dispi.bits_per_pixel() } else { 0 };
        match (core.graphics_mode().shift(), depth) {
            (0, _) => Self::Four,
            (1, _) => Self::Two,
            (_, 8) => Self::Eight,
            (_, 15) => Self::Fifteen,
            (_, 16) => Self::Sixteen,
            (_, 24) => Self::TwentyFour,
            (_, 32) => Self::ThirtyTwo,
            _ => Self::Wide,
        }
    }

    /// Whether half the dot clock makes the picture twice as wide.
    pub(super) fn doubles(self) -> bool {
        matches!(self, Self::Four | Self::Two)
    }

    /// Bytes of `width` pixels, a multiple of 8.
    pub(super) fn bytes(self, width: u32) -> u32 {
        match self {
            Self::Four | Self::Two | Self::Wide => width / 2,
            Self::Eight => width,
            Self::Fifteen | Self::Sixteen => width * 2,
            Self::TwentyFour => width * 3,
            Self::ThirtyTwo => width * 4,
        }
    }
}

/// Draws rows of one format.
pub(super) struct Pixels {
    format: Format,
    doubled: bool,
    big_endian: bool,
    /// Whether full intensity of 15 bits is 0xff, as from QEMU 9.0 on.
    full_15: bool,
    planes: u32,
    colours: Vec<Rgb>,
}

impl Pixels {
    pub(super) fn new(core: &Core, format: Format, doubled: bool) -> Self {
        let colours = match format {
            Format::Four | Format::Two => core.colours_16().to_vec(),
            Format::Wide | Format::Eight => core.colours_256().to_vec(),
            _ => Vec::new(),
        };
        let enabled = u32::from(core.ar[attribute::PLANES]);
        let planes = (0..4).filter(|map| enabled >> map & 1 != 0);
        let planes = planes.fold(0, |mask, map| mask | 0xff << (8 * map));
        let big_endian = core.big_endian;
        let full_15 = core.word_modes && !big_endian;
        Self { format, doubled, big_endian, full_15, planes, colours }
    }

    pub(super) fn draw(&self, row: &mut [u8], bytes: &[u8]) {
        match self.format {
            Format::Four => self.put_groups(row, bytes, |maps, dot| {
                let bit = |map: u32| (maps >> (8 * map + 7 - dot) & 1) << map;
                bit(0) | bit(1) | bit(2) | bit(3)
            }),
            Format::Two => self.put_groups(row, bytes, |maps, dot| {
                // Maps 0 and 2 have the first four pixels, 1 and 3 the others.
                let shift = 8 * (dot / 4) + 6 - 2 * (dot % 4);
                maps >> shift & 3 | (maps >> (shift + 16) & 3) << 2
            }),
            Format::Wide => put(row, bytes.iter().flat_map(|&byte| [self.colour(byte); 2])),
            Format::Eight => put(row, bytes.iter().map(|&byte| self.colour(byte))),
            // QEMU shows only the usual format of 16 bits as it is, with full
            // intensity as 0xff; others have zeros below.
            Format::Fifteen => {
                let full = self.full_15;
                put(row, self.words(bytes).map(|v| unpack(v, [5, 5, 5], full)));
            }
            Format::Sixteen => {
                let full = !self.big_endian;
                put(row, self.words(bytes).map(|v| unpack(v, [5, 6, 5], full)));
            }
            Format::TwentyFour => put(row, bytes.chunks_exact(3).map(|p| self.order(p))),
            Format::ThirtyTwo => put(
                row,
                bytes
                    .chunks_exact(4)
                    .map(|p| self.order(if self.big_endian { &p[1..] } else { p })),
            ),
        }
    }

    /// Eight pixels of every four bytes.
    fn put_groups(&self, row: &mut [u8], bytes: &[u8], pixel: impl Fn(u32, u32) -> u32) {
        let times = if self.doubled { 2 } else { 1 };
        let groups = bytes.chunks_exact(4).flat_map(|group| {
            let maps = group.iter().rev().fold(0, |maps, &byte| maps << 8 | u32::from(byte));
            let maps = maps & self.planes;
            [0, 1, 2, 3, 4, 5, 6, 7].map(|dot| pixel(maps, dot))
        });
        put(row, groups.flat_map(|index| std::iter::repeat_n(self.colour(index as u8), times)));
    }

    fn colour(&self, index: u8) -> Rgb {
        self.colours.get(usize::from(index)).copied().unwrap_or_default()
    }

    fn words(&self, bytes: &[u8]) -> impl Iterator<Item = u16> {
        let big_endian = self.big_endian;
        bytes.chunks_exact(2).map(move |word| {
            let word = [word[0], word[1]];
            if big_endian { u16::from_be_bytes(word) } else { u16::from_le_bytes(word) }
        })
    }

    /// Red, green, blue of three bytes in the guest's order.
    fn order(&self, bytes: &[u8]) -> Rgb {
        let first = [bytes[0], bytes[1], bytes[2]];
        if self.big_endian { first } else { [first[2], first[1], first[0]] }
    }
}

/// Red, green and blue of so many bits each; `full` repeats the high bits below.
fn unpack(value: u16, [red, green, blue]: [u32; 3], full: bool) -> Rgb {
    let part = |shift: u32, bits: u32| {
        let field = u32::from(value) >> shift & ((1 << bits) - 1);
        let low = if full { field >> (2 * bits - 8) } else { 0 };
        (field << (8 - bits) | low) as u8
    };
    [part(green + blue, red), part(blue, green), part(0, blue)]
}
