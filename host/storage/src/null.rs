//! A medium that keeps nothing.

use std::io;

use crate::backend::{Backend, Buffer, scatter, total};
use crate::request::SECTOR;

/// Reads as zeros; what is written is gone. It costs nothing, and so shows what
/// everything else costs.
#[derive(Clone, Copy, Debug)]
pub struct Null {
    size: u64,
}

impl Null {
    /// A medium of `size` bytes, rounded down to whole sectors.
    #[must_use]
    pub const fn new(size: u64) -> Self {
        Self { size: size - size % SECTOR }
    }
}

impl Backend for Null {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&mut self, _offset: u64, into: &[Buffer<'_>]) -> io::Result<u64> {
        let zeros = [0; 4096];
        let Some(first) = into.first() else { return Ok(0) };
        let take = first.len().min(zeros.len());
        scatter(&zeros[..take], &into[..1]);
        Ok(take as u64)
    }

    fn write_at(&mut self, _offset: u64, from: &[Buffer<'_>]) -> io::Result<u64> {
        Ok(total(from))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
