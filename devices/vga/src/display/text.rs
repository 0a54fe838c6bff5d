//! Text modes: characters and attributes in maps 0 and 1, fonts in map 2.

use southbridge_sdk::Context;

use super::code_page::CODE_PAGE_437;
use super::geometry::TextSize;
use super::palette::Rgb;
use super::{Canvas, put};
use crate::core::Core;
use crate::description::VRAM;
use crate::regs::crtc;

/// Bytes between two of the eight fonts.
const FONT: u64 = 8192 * 4;
/// Bytes that a font's 256 characters of 32 lines have.
const FONT_SIZE: u32 = 256 * 32 * 4;
/// The map of fonts.
const FONT_MAP: usize = 2;

/// Characters whose ninth dot may be as the eighth.
const LINE_GRAPHICS: std::ops::RangeInclusive<u8> = 0xb0..=0xdf;
/// Attribute: the second font.
const SECOND_FONT: u8 = 0x08;
/// Cursor Start: no cursor.
const CURSOR_OFF: u8 = 0x20;

/// A screen's rows.
struct Rows {
    size: TextSize,
    address: u64,
    pitch: u64,
    compare: u32,
    line: u32,
}

impl Rows {
    fn new(core: &Core) -> Option<Self> {
        let (size, lines) = (core.text_size()?, core.lines());
        let (address, pitch) = (lines.start.into(), lines.pitch.into());
        Some(Self { size, address, pitch, compare: lines.compare, line: 0 })
    }

    /// The next row's address, and each of its cells: a byte of each map.
    fn next(&mut self, cx: &mut Context<'_>) -> (u64, Vec<u8>) {
        let address = self.address;
        let cells = cx.memory_read(VRAM, address, self.size.columns * 4);
        self.address += self.pitch;
        let next = self.line + self.size.height;
        if self.line < self.compare && next >= self.compare {
            self.address = 0;
        }
        self.line = next;
        (address, cells)
    }
}

/// The two fonts, for attributes without and with the second font's bit.
fn fonts(core: &Core, cx: &mut Context<'_>) -> [Vec<u8>; 2] {
    let select = core.character_map();
    let first = select >> 4 & 1 | select << 1 & 6;
    let second = select >> 5 & 1 | select >> 1 & 6;
    [first, second].map(|font| cx.memory_read(VRAM, u64::from(font) * FONT, FONT_SIZE))
}

/// Draws the screen.
pub(super) fn draw(core: &Core, cx: &mut Context<'_>) -> Option<Canvas> {
    let mut rows = Rows::new(core)?;
    let size = rows.size;
    let mut canvas = Canvas::new(size.columns * size.width, size.rows * size.height);
    let (fonts, colours) = (fonts(core, cx), core.colours_16());
    let cursor_at = u64::from(core.crtc_pair(crtc::CURSOR)) * 4;
    for row in 0..size.rows as usize {
        let (address, cells) = rows.next(cx);
        for (column, cell) in cells.chunks_exact(4).enumerate() {
            let (character, attributes) = (cell[0], cell[1]);
            let font = &fonts[usize::from(attributes & SECOND_FONT != 0)];
            let start = usize::from(character) * 32 * 4;
            let glyph = Glyph {
                size,
                ninth: core.attribute_mode().line_graphics() && LINE_GRAPHICS.contains(&character),
                front: colours[usize::from(attributes & 0xf)],
                back: colours[usize::from(attributes >> 4)],
            };
            let cursor = (address + 4 * column as u64 == cursor_at).then(|| cursor(core, size));
            let (x, y) = (column * size.width as usize, row * size.height as usize);
            for line in 0..size.height as usize {
                let covered = cursor.as_ref().is_some_and(|lines| lines.contains(&line));
                let bits = font.get(start + 4 * line + FONT_MAP).copied().unwrap_or(0);
                let row = canvas.row_from(x, y + line);
                if covered {
                    Glyph { ninth: true, ..glyph }.draw(row, 0xff);
                } else {
                    glyph.draw(row, bits);
                }
            }
        }
    }
    Some(canvas)
}

/// The lines of a character that the cursor covers.
fn cursor(core: &Core, size: TextSize) -> std::ops::Range<usize> {
    let (start, end) = (core.cr[crtc::CURSOR_START], core.cr[crtc::CURSOR_END]);
    if start & CURSOR_OFF != 0 {
        return 0..0;
    }
    usize::from(start & 0x1f)..(usize::from(end & 0x1f) + 1).min(size.height as usize)
}

/// What a character's lines have in common.
#[derive(Clone, Copy)]
struct Glyph {
    size: TextSize,
    ninth: bool,
    front: Rgb,
    back: Rgb,
}

impl Glyph {
    fn draw(&self, row: &mut [u8], bits: u8) {
        let dots = self.size.width;
        let colour = |dot: u32| {
            let lit = match (dots, dot) {
                (16, dot) => bits << (dot / 2) & 0x80 != 0,
                (_, 8) => self.ninth && bits & 1 != 0,
                (_, dot) => bits << dot & 0x80 != 0,
            };
            if lit { self.front } else { self.back }
        };
        put(row, (0..dots).map(colour));
    }
}

/// The characters on the screen.
pub(super) fn characters(core: &Core, cx: &mut Context<'_>) -> Option<Vec<String>> {
    let mut rows = Rows::new(core)?;
    let count = rows.size.rows;
    let row = |_| {
        let (_, cells) = rows.next(cx);
        cells.chunks_exact(4).map(|cell| CODE_PAGE_437[usize::from(cell[0])]).collect()
    };
    Some((0..count).map(row).collect())
}
