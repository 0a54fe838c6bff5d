//! Putting guest memory into the frame of another machine type.
//!
//! Memory itself is the same for all of them. What is not is around it: a footer
//! behind each piece of the section, and a command before the last one.

use std::ops::Range;

use super::Stream;
use super::scanner::{Mark, Scanner};
use super::{SWITCHOVER_START, section};
use crate::error::Error;
use crate::layout::Layouts;

/// A footer: its type and the section's id.
const FOOTER_SIZE: u64 = 5;

/// How a machine type frames guest memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Framing {
    /// Whether each piece of the section ends in a footer; machines from 2.4 on.
    pub footers: bool,
    /// Whether the receiver is told, before the last piece, that the guest has
    /// been stopped; machines from 10.0 on.
    pub switchover_start: bool,
}

/// Reads a stream as [`Scanner`] does and gives its live part in another frame,
/// in constant memory.
///
/// ```
/// # fn main() -> Result<(), vmstate::Error> {
/// let bytes = [b"QEVM".as_slice(), &[0, 0, 0, 3, 0]].concat();
/// let framing = vmstate::Framing { footers: true, switchover_start: false };
/// let mut reframer = vmstate::Reframer::new(framing);
/// let mut live = Vec::new();
/// for piece in bytes.chunks(4) {
///     reframer.push(piece, &mut live)?;
/// }
/// let stream = reframer.finish(vmstate::Layouts::builtin())?;
/// // As it has no guest memory.
/// assert!(live.is_empty() && stream.live.range.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Reframer {
    scanner: Scanner,
    framing: Framing,
    /// What has been handed over and not been understood yet.
    held: Vec<u8>,
    /// Where that begins in the stream.
    held_at: u64,
    /// Where the next byte to be copied lies in the stream.
    next: u64,
    /// Whether the command was there.
    announced: bool,
}

impl Reframer {
    /// Before the first byte.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        Self {
            scanner: Scanner::new(),
            framing,
            held: Vec::new(),
            held_at: 0,
            next: 0,
            announced: false,
        }
    }

    /// Takes the next piece of the stream, of any length, and appends to `out`
    /// what the live part has instead. That is at most five bytes more for each
    /// piece of the memory section, which has 13 at least.
    ///
    /// # Errors
    /// [`Error`] as soon as the stream is seen to be wrong; there is no going on then.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.scanner.push(piece)?;
        let live = self.scanner.live_range();
        let data = Data { held: &self.held, piece, base: self.held_at };
        let mut next = self.next.max(live.start);
        for &(at, mark) in self.scanner.marks() {
            match mark {
                Mark::Ended { footer: true, .. } if !self.framing.footers => {
                    data.copy(next..at, out);
                    next = at + FOOTER_SIZE;
                }
                Mark::Ended { footer: false, id } if self.framing.footers => {
                    data.copy(next..at, out);
                    out.push(section::FOOTER);
                    out.extend(id.to_be_bytes());
                    next = at;
                }
                Mark::Command { number: SWITCHOVER_START, size } => {
                    self.announced = true;
                    if !self.framing.switchover_start {
                        data.copy(next..at, out);
                        next = at + size;
                    }
                }
                Mark::Last if self.framing.switchover_start && !self.announced => {
                    data.copy(next..at, out);
                    out.push(section::COMMAND);
                    out.extend(SWITCHOVER_START.to_be_bytes());
                    // It has no data.
                    out.extend(0u16.to_be_bytes());
                    next = at;
                }
                _ => {}
            }
        }
        let understood = self.scanner.understood().min(live.end);
        data.copy(next..understood, out);
        self.next = next.max(understood);
        // Of the devices nothing is copied.
        let end = data.end();
        let keep = if self.scanner.in_devices() { end } else { self.scanner.understood() };
        let mut held = Vec::new();
        data.copy(keep..end, &mut held);
        (self.held, self.held_at) = (held, keep);
        Ok(())
    }

    /// After the last byte: the stream as it was read, in its own frame. See
    /// [`Scanner::finish`].
    ///
    /// # Errors
    /// [`Error`] says where the stream is wrong and why.
    pub fn finish(self, layouts: &Layouts) -> Result<Stream, Error> {
        self.scanner.finish(layouts)
    }
}

/// Consecutive bytes of the stream, in two parts.
struct Data<'a> {
    held: &'a [u8],
    piece: &'a [u8],
    /// Where they begin in the stream.
    base: u64,
}

impl Data<'_> {
    fn end(&self) -> u64 {
        self.base + (self.held.len() + self.piece.len()) as u64
    }

    /// Appends the bytes from one offset in the stream to another.
    fn copy(&self, range: Range<u64>, out: &mut Vec<u8>) {
        let split = self.base + self.held.len() as u64;
        for (bytes, base) in [(self.held, self.base), (self.piece, split)] {
            let within = |offset: u64| offset.saturating_sub(base).min(bytes.len() as u64) as usize;
            let part = bytes.get(within(range.start)..within(range.end));
            out.extend_from_slice(part.unwrap_or_default());
        }
    }
}
