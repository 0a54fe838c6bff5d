//! Graphics modes.

use southbridge_sdk::Context;

use super::Canvas;
use super::pixels::{Format, Pixels};
use crate::core::Core;
use crate::description::{VRAM, VRAM_SIZE};

/// Draws the screen.
pub(super) fn draw(core: &Core, cx: &mut Context<'_>) -> Canvas {
    let (width, height) = core.graphics_size();
    let format = Format::of(core);
    let doubled = format.doubles() && core.clocking_mode().half_dot_clock();
    let mut canvas = Canvas::new(if doubled { 2 * width } else { width }, height);
    let pixels = Pixels::new(core, format, doubled);
    let length = format.bytes(width.min(2 * canvas.width as u32));
    let mut walk = Walk::new(core);
    let mut shown = None;
    for y in 0..canvas.height {
        let address = walk.next(y as u32);
        if shown == Some(address) {
            canvas.repeat_row(y);
        } else {
            pixels.draw(canvas.row_from(0, y), &read(cx, address, length));
            shown = Some(address);
        }
    }
    canvas
}

/// Reads a line of the picture; addresses wrap at the end of the memory.
fn read(cx: &mut Context<'_>, address: u32, length: u32) -> Vec<u8> {
    let at = u64::from(address) % VRAM_SIZE;
    let before_end = u64::from(length).min(VRAM_SIZE - at) as u32;
    let mut bytes = cx.memory_read(VRAM, at, before_end);
    if before_end < length {
        bytes.extend(cx.memory_read(VRAM, 0, length - before_end));
    }
    bytes
}

/// The way from line to line.
struct Walk {
    address: u32,
    pitch: u32,
    compare: u32,
    /// How often a line is shown again.
    again: u32,
    repeats: u32,
    /// The line of the picture.
    line: u32,
    /// The address bit that stands for the line's parity, with addresses of the
    /// CGA.
    parity: Option<u32>,
    /// Whether bit 15 stands for bit 1 of the line.
    second: bool,
    mask: u32,
}

impl Walk {
    fn new(core: &Core) -> Self {
        let (lines, scan, mode) = (core.lines(), core.max_scan(), core.crt_mode());
        let double = u32::from(scan.double_scan());
        // With the CGA's addresses the lines of a row are different ones.
        let again = if mode.no_interleave_13() {
            ((u32::from(scan.lines()) + 1) << double) - 1
        } else {
            double
        };
        Self {
            address: lines.start,
            pitch: lines.pitch,
            compare: lines.compare,
            again,
            repeats: again,
            line: 0,
            parity: (!mode.no_interleave_13()).then(|| 14 + u32::from(mode.byte_mode())),
            second: !mode.no_interleave_14(),
            mask: u32::from(!mode.no_interleave_13()) | u32::from(!mode.no_interleave_14()) << 1,
        }
    }

    /// Where line `y` of the screen is.
    fn next(&mut self, y: u32) -> u32 {
        let mut address = self.address;
        if let Some(bit) = self.parity {
            address = address & !(1 << bit) | (self.line & 1) << bit;
        }
        if self.second {
            address = address & !0x8000 | (self.line & 2) << 14;
        }
        if self.repeats == 0 {
            if self.line & self.mask == self.mask {
                self.address = self.address.wrapping_add(self.pitch);
            }
            self.line += 1;
            self.repeats = self.again;
        } else {
            self.repeats -= 1;
        }
        if y == self.compare {
            self.address = 0;
        }
        address
    }
}
