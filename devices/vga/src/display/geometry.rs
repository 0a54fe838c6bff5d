//! Sizes and addresses, by the CRT controller or the display interface.

use crate::core::Core;
use crate::regs::crtc;

/// The most characters on a screen.
const MOST_CHARACTERS: u32 = 160 * 100;

/// The size of a text screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TextSize {
    pub(super) columns: u32,
    pub(super) rows: u32,
    /// Pixels across a character.
    pub(super) width: u32,
    /// Lines of a character.
    pub(super) height: u32,
}

/// Where the lines of a picture are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lines {
    /// Address of the first, in bytes.
    pub(super) start: u32,
    /// From one to the next, in bytes.
    pub(super) pitch: u32,
    /// After this line of the screen the picture goes on at address 0.
    pub(super) compare: u32,
}

impl Core {
    fn crtc(&self, index: usize) -> u32 {
        self.cr[index].into()
    }

    /// A pair of registers, the high one first.
    pub(super) fn crtc_pair(&self, index: usize) -> u32 {
        self.crtc(index) << 8 | self.crtc(index + 1)
    }

    /// Displayed lines.
    fn lines_shown(&self) -> u32 {
        let overflow = self.crtc(crtc::OVERFLOW);
        (self.crtc(crtc::V_DISPLAY_END) | (overflow & 0x02) << 7 | (overflow & 0x40) << 3) + 1
    }

    /// Pixels and lines in graphics modes.
    pub(super) fn graphics_size(&self) -> (u32, u32) {
        if self.dispi.enabled() {
            (self.dispi.width().into(), self.dispi.height().into())
        } else {
            ((self.crtc(crtc::H_DISPLAY_END) + 1) * 8, self.lines_shown())
        }
    }

    /// The size in text modes; none if there is no such screen.
    pub(super) fn text_size(&self) -> Option<TextSize> {
        let clocking = self.clocking_mode();
        let width = match (clocking.half_dot_clock(), clocking.eight_dots()) {
            (true, _) => 16,
            (false, true) => 8,
            (false, false) => 9,
        };
        let height = u32::from(self.max_scan().lines()) + 1;
        let columns = self.crtc(crtc::H_DISPLAY_END) + 1;
        // QEMU's sign of the mode with 100 rows of two lines.
        let rows = if self.cr[crtc::V_TOTAL] == 100 { 100 } else { self.lines_shown() / height };
        let legal = (2..=MOST_CHARACTERS).contains(&(columns * rows));
        legal.then_some(TextSize { columns, rows, width, height })
    }

    pub(super) fn lines(&self) -> Lines {
        if self.dispi.enabled() {
            let (start, pitch) = (self.dispi.start.wrapping_mul(4), self.dispi.line_offset);
            return Lines { start, pitch, compare: u32::MAX };
        }
        let high = u32::from(self.cr[crtc::OVERFLOW] & crtc::LINE_COMPARE_8) << 4
            | u32::from(self.max_scan().line_compare_9()) << 9;
        Lines {
            start: self.crtc_pair(crtc::START) * 4,
            pitch: self.crtc(crtc::OFFSET) * 8,
            compare: self.crtc(crtc::LINE_COMPARE) | high,
        }
    }
}
