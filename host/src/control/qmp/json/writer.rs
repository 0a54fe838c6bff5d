//! Values in QEMU's format.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// How values are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// On one line.
    #[default]
    Line,
    /// Each member on its own line.
    Pretty,
}

/// Appends a value and the end of its line.
pub(in super::super) fn write(value: &impl Serialize, style: Style, text: &mut Vec<u8>) {
    let depth = (style == Style::Pretty).then_some(0);
    let start = text.len();
    if let Err(error) = value.serialize(&mut Serializer::with_formatter(&mut *text, Qemu { depth }))
    {
        // Only a map whose keys are no strings could be one: a mistake in here.
        tracing::error!(%error, "a value that JSON cannot say");
        text.truncate(start);
    }
    text.extend_from_slice(b"\r\n");
}

/// QEMU's format: a blank after colons and commas, and ASCII only.
struct Qemu {
    /// How deep the value lies that is being written, if the layout shows it.
    depth: Option<usize>,
}

impl Qemu {
    fn begin<W: Write + ?Sized>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        writer.write_all(bracket)?;
        self.depth = self.depth.map(|depth| depth + 1);
        Ok(())
    }

    /// As in QEMU there is a line's end also in what is empty.
    fn end<W: Write + ?Sized>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth = self.depth.map(|depth| depth.saturating_sub(1));
        self.line(writer)?;
        writer.write_all(bracket)
    }

    fn separate<W: Write + ?Sized>(&self, writer: &mut W, first: bool) -> io::Result<()> {
        match (first, self.depth) {
            (true, _) => {}
            (false, None) => writer.write_all(b", ")?,
            (false, Some(_)) => writer.write_all(b",")?,
        }
        self.line(writer)
    }

    fn line<W: Write + ?Sized>(&self, writer: &mut W) -> io::Result<()> {
        match self.depth {
            Some(depth) => write!(writer, "\r\n{:1$}", "", 4 * depth),
            None => Ok(()),
        }
    }
}

impl Formatter for Qemu {
    fn begin_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"{")
    }

    fn end_object<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"}")
    }

    fn begin_object_key<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.separate(writer, first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn begin_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.begin(writer, b"[")
    }

    fn end_array<W: Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.end(writer, b"]")
    }

    fn begin_array_value<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.separate(writer, first)
    }

    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut units = [0; 2];
        for character in fragment.chars() {
            if matches!(character, ' '..='~') {
                writer.write_all(&[character as u8])?;
            } else {
                for unit in character.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04X}")?;
                }
            }
        }
        Ok(())
    }

    fn write_f64<W: Write + ?Sized>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(seventeen_digits(value).as_bytes())
    }
}

/// A number as C's `%.17g` writes it (C17, 7.21.6.1).
fn seventeen_digits(value: f64) -> String {
    const DIGITS: i32 = 17;
    let scientific = format!("{value:.*e}", (DIGITS - 1) as usize);
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let shorten = |number: &str| {
        let shorter = number.trim_end_matches('0').trim_end_matches('.');
        if number.contains('.') { shorter.to_owned() } else { number.to_owned() }
    };
    if (-4..DIGITS).contains(&exponent) {
        shorten(&format!("{value:.*}", (DIGITS - 1 - exponent) as usize))
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", shorten(mantissa), exponent.abs())
    }
}
