//! Pictures as files.

use std::io;

use crate::component::Frame;

/// The format of a picture's file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Portable pixmap, in bytes (ppm(5), `P6`).
    #[default]
    Ppm,
    /// Portable Network Graphics.
    Png,
}

impl Format {
    /// QEMU's names, in its order (`ImageFormat`).
    pub(crate) const NAMES: [&str; 2] = ["ppm", "png"];

    /// The format of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "ppm" => Some(Self::Ppm),
            "png" => Some(Self::Png),
            _ => None,
        }
    }

    /// A picture in this format.
    ///
    /// # Errors
    /// The device says of its picture what cannot be.
    pub fn encode(self, frame: &Frame) -> io::Result<Vec<u8>> {
        let size = u64::from(frame.width).checked_mul(frame.height.into());
        let bytes = size.and_then(|pixels| pixels.checked_mul(3));
        if bytes != Some(frame.pixels.len() as u64) || frame.pixels.is_empty() {
            let (Frame { width, height, pixels }, kind) = (frame, io::ErrorKind::InvalidData);
            let what = format!("a picture of {width}x{height} in {} bytes", pixels.len());
            return Err(io::Error::new(kind, what));
        }
        match self {
            Self::Ppm => Ok(ppm(frame)),
            Self::Png => png(frame),
        }
    }
}

fn ppm(frame: &Frame) -> Vec<u8> {
    let mut file = format!("P6\n{} {}\n255\n", frame.width, frame.height).into_bytes();
    file.extend_from_slice(&frame.pixels);
    file
}

fn png(frame: &Frame) -> io::Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, frame.width, frame.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&frame.pixels)?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        Frame { width: 2, height: 1, pixels: vec![255, 0, 0, 0, 0, 255] }
    }

    #[test]
    fn a_pixmap_is_a_header_and_the_pixels() {
        let file = Format::Ppm.encode(&frame()).unwrap();
        assert_eq!(file, b"P6\n2 1\n255\n\xff\0\0\0\0\xff");
    }

    #[test]
    fn a_png_decodes_to_the_same_pixels() {
        let file = Format::Png.encode(&frame()).unwrap();
        let mut reader = png::Decoder::new(io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height, info.color_type), (2, 1, png::ColorType::Rgb));
        assert_eq!(pixels, frame().pixels);
    }

    #[test]
    fn a_picture_that_cannot_be_is_refused() {
        for (width, height, length) in [(2, 2, 6), (u32::MAX, u32::MAX, 6), (0, 0, 0)] {
            let frame = Frame { width, height, pixels: vec![0; length] };
            assert!(Format::Ppm.encode(&frame).is_err() && Format::Png.encode(&frame).is_err());
        }
    }
}
