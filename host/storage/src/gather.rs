//! From a request's pieces to buffers, some megabytes at a time.

use crate::backend::Buffer;
use crate::memory::{Direction, GuestMemory, Part};
use crate::request::{Piece, SECTOR};

/// How much is moved between two looks at the pieces, in bytes.
const WINDOW: u64 = 4 << 20;

/// How many buffers there are at once, but for those that fill the last sector.
const BUFFERS: usize = 4096;

/// How long the buffer is that stands for what is outside the guest's memory.
pub(crate) const OUTSIDE: usize = 64 << 10;

/// Pieces that have not been turned into buffers yet.
pub(crate) struct Gather<'p> {
    pieces: &'p [Piece],
    /// What has been done of the first piece, in bytes.
    done: u64,
}

impl<'p> Gather<'p> {
    pub(crate) const fn new(pieces: &'p [Piece]) -> Self {
        Self { pieces, done: 0 }
    }

    /// The next buffers and their length altogether, which is 0 at the end and
    /// whole sectors before it. `outside` stands for what is not in the memory.
    pub(crate) fn next<'a>(
        &mut self,
        memory: &'a dyn GuestMemory,
        direction: Direction,
        outside: Buffer<'a>,
        buffers: &mut Vec<Buffer<'a>>,
    ) -> u64 {
        buffers.clear();
        let mut parts = Vec::new();
        let mut bytes = 0;
        while bytes < WINDOW && (buffers.len() < BUFFERS || bytes % SECTOR != 0) {
            let most =
                if buffers.len() < BUFFERS { WINDOW - bytes } else { SECTOR - bytes % SECTOR };
            let Some((address, length)) = self.run(most) else { break };
            parts.clear();
            memory.parts(address, length, direction, &mut parts);
            cover(&parts, length, outside, buffers);
            bytes += length;
        }
        bytes
    }

    /// Takes a contiguous stretch of memory, of one piece or of several that
    /// follow one another, and at most `most` bytes.
    fn run(&mut self, most: u64) -> Option<(u64, u64)> {
        let mut run: Option<(u64, u64)> = None;
        while let Some((first, rest)) = self.pieces.split_first() {
            let left = u64::from(first.length) - self.done;
            if left > 0 {
                let address = first.address.wrapping_add(self.done);
                let (start, length) = run.unwrap_or((address, 0));
                if length == most || start.checked_add(length) != Some(address) {
                    break;
                }
                let take = left.min(most - length);
                run = Some((start, length + take));
                if take < left {
                    self.done += take;
                    break;
                }
            }
            (self.pieces, self.done) = (rest, 0);
        }
        run
    }
}

/// Appends buffers for exactly `length` bytes.
fn cover<'a>(
    parts: &[Part<'a>],
    mut length: u64,
    outside: Buffer<'a>,
    buffers: &mut Vec<Buffer<'a>>,
) {
    for part in parts {
        match part {
            Part::Memory(memory) => {
                let take = length.min(memory.len() as u64);
                if take > 0 {
                    buffers.extend(memory.subslice(0, take as usize));
                }
                length -= take;
            }
            Part::Nothing(nothing) => {
                let take = length.min(*nothing);
                fill(take, outside, buffers);
                length -= take;
            }
        }
    }
    fill(length, outside, buffers);
}

/// Appends the outside until it is `length` bytes.
fn fill<'a>(mut length: u64, outside: Buffer<'a>, buffers: &mut Vec<Buffer<'a>>) {
    while length > 0 && !outside.is_empty() {
        let take = length.min(outside.len() as u64);
        buffers.extend(outside.subslice(0, take as usize));
        length -= take;
    }
}

#[cfg(test)]
mod tests;
