//! What is on the screen.

mod code_page;
mod geometry;
mod graphics;
mod palette;
mod pixels;
mod text;

use southbridge_sdk::Context;
use southbridge_sdk::wit::Frame;

use crate::core::Core;
use palette::Rgb;

/// The most pixels in a row and rows that are shown of a larger picture: with
/// three bytes each a picture has at most 48 MiB.
const LARGEST: u32 = 4096;

/// A dark screen's size when no mode has one.
const DARK: (u32, u32) = (640, 480);

/// A picture in the making.
struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    /// A black picture.
    fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width.min(LARGEST) as usize, height.min(LARGEST) as usize);
        Self { width, height, pixels: vec![0; 3 * width * height] }
    }

    /// Row `y` from pixel `x` on; nothing beyond the edges.
    fn row_from(&mut self, x: usize, y: usize) -> &mut [u8] {
        if x >= self.width || y >= self.height {
            return &mut [];
        }
        let row = 3 * self.width * y;
        &mut self.pixels[row + 3 * x..row + 3 * self.width]
    }

    /// Row `y` as the row above.
    fn repeat_row(&mut self, y: usize) {
        let row = 3 * self.width;
        if (1..self.height).contains(&y) {
            self.pixels.copy_within((y - 1) * row..y * row, y * row);
        }
    }
}

/// Puts colours into a row until either ends.
fn put(row: &mut [u8], colours: impl Iterator<Item = Rgb>) {
    for (pixel, colour) in row.chunks_exact_mut(3).zip(colours) {
        pixel.copy_from_slice(&colour);
    }
}

/// The contract's `display.picture`.
pub(crate) fn picture(core: &Core, cx: &mut Context<'_>) -> Frame {
    let graphics = core.miscellaneous().graphics();
    let canvas = if core.ar_index.display() {
        let drawn = if graphics { Some(graphics::draw(core, cx)) } else { text::draw(core, cx) };
        drawn.unwrap_or_else(|| Canvas::new(DARK.0, DARK.1))
    } else {
        dark(core, graphics)
    };
    let Canvas { width, height, pixels } = canvas;
    Frame { width: width as u32, height: height as u32, pixels }
}

/// A screen that is dark keeps its size.
fn dark(core: &Core, graphics: bool) -> Canvas {
    let size = if graphics {
        let (width, height) = core.graphics_size();
        // As long as no mode is set.
        (height > 1).then_some((width, height))
    } else {
        core.text_size().map(|size| (size.columns * size.width, size.rows * size.height))
    };
    let (width, height) = size.unwrap_or(DARK);
    Canvas::new(width, height)
}

/// The contract's `display.text`.
pub(crate) fn text(core: &Core, cx: &mut Context<'_>) -> Option<Vec<String>> {
    if core.miscellaneous().graphics() || !core.ar_index.display() {
        return None;
    }
    text::characters(core, cx)
}
