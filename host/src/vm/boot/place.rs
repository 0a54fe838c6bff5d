//! Finding places in RAM for what a guest starts with, and filling them.

use std::ops::Range;

use vm_memory::{Bytes, GuestAddress};

use super::memory_map::LOW_RAM_TOP;
use crate::vm::memory::{FOUR_GIB, HIGH_RAM_START, LOW_RAM_END, Memory};
use crate::vm::{Error, Image};

/// The real mode interrupt table and the BIOS data area end here.
const LOW_RAM_BOTTOM: u64 = 0x500;

/// How much is written at a time where zeros are needed.
const ZEROS: [u8; 4096] = [0; 4096];

/// A machine's RAM, and what of it is taken.
pub(super) struct Place<'a> {
    memory: &'a Memory,
    taken: Vec<(Range<u64>, String)>,
}

impl<'a> Place<'a> {
    /// All RAM, nothing taken.
    pub(super) fn new(memory: &'a Memory) -> Self {
        Self { memory, taken: Vec::new() }
    }

    /// The machine's memory.
    pub(super) fn memory(&self) -> &Memory {
        self.memory
    }

    /// Takes `length` bytes at `start` for `what`, which `image` asks for.
    pub(super) fn take(
        &mut self,
        image: &Image,
        what: &str,
        start: u64,
        length: u64,
    ) -> Result<(), Error> {
        let range = match start.checked_add(length) {
            Some(end) if self.is_ram(start, end) => start..end,
            _ => {
                return Err(image.problem(format!(
                    "{what} needs {length:#x} bytes at address {start:#x}, where the machine has \
                     no RAM (it has {})",
                    self.ram_text()
                )));
            }
        };
        if let Some((other, owner)) = self.overlap(&range) {
            return Err(image.problem(format!(
                "{what} at {:#x} to {:#x} overlaps {owner} at {:#x} to {:#x}",
                range.start, range.end, other.start, other.end
            )));
        }
        if length != 0 {
            self.taken.push((range, what.to_owned()));
        }
        Ok(())
    }

    /// Takes and fills a place at `start`.
    pub(super) fn put(
        &mut self,
        image: &Image,
        what: &str,
        start: u64,
        bytes: &[u8],
    ) -> Result<(), Error> {
        self.take(image, what, start, bytes.len() as u64)?;
        self.write(image, what, start, bytes)
    }

    /// Takes and fills a page-aligned place in the first 640 KiB, as high as
    /// possible; returns its address. For what a loader tells a guest.
    pub(super) fn put_low(
        &mut self,
        image: &Image,
        what: &str,
        bytes: &[u8],
    ) -> Result<u32, Error> {
        let start = self.put_below(image, what, bytes, LOW_RAM_BOTTOM..LOW_RAM_TOP)?;
        Ok(start as u32)
    }

    /// Takes and fills a page-aligned place in RAM between 1 MiB and `end`, as
    /// high as possible; returns its address.
    pub(super) fn put_high(
        &mut self,
        image: &Image,
        what: &str,
        bytes: &[u8],
        end: u64,
    ) -> Result<u32, Error> {
        let end = end.min(self.memory.below_4g());
        let start = self.put_below(image, what, bytes, HIGH_RAM_START..end)?;
        Ok(start as u32)
    }

    fn put_below(
        &mut self,
        image: &Image,
        what: &str,
        bytes: &[u8],
        within: Range<u64>,
    ) -> Result<u64, Error> {
        let length = bytes.len() as u64;
        let mut end = within.end;
        let start = loop {
            match end.checked_sub(length).map(|start| start & !0xfff) {
                Some(start) if start >= within.start => {
                    match self.overlap(&(start..start + length)) {
                        Some((other, _)) => end = other.start,
                        None => break start,
                    }
                }
                _ => {
                    return Err(image.problem(format!(
                        "no room for {length:#x} bytes of {what} in RAM from {:#x} to {:#x}",
                        within.start, within.end
                    )));
                }
            }
        };
        self.put(image, what, start, bytes)?;
        Ok(start)
    }

    /// Fills a place that is taken.
    pub(super) fn write(
        &self,
        image: &Image,
        what: &str,
        start: u64,
        bytes: &[u8],
    ) -> Result<(), Error> {
        self.memory
            .ram()
            .write_slice(bytes, GuestAddress(start))
            .map_err(|error| image.problem(format!("cannot write {what} at {start:#x}: {error}")))
    }

    /// Fills a place that is taken with zeros.
    pub(super) fn write_zeros(
        &self,
        image: &Image,
        what: &str,
        mut start: u64,
        mut length: u64,
    ) -> Result<(), Error> {
        while length != 0 {
            let part = length.min(ZEROS.len() as u64);
            self.write(image, what, start, &ZEROS[..part as usize])?;
            start += part;
            length -= part;
        }
        Ok(())
    }

    fn overlap(&self, range: &Range<u64>) -> Option<&(Range<u64>, String)> {
        self.taken.iter().find(|(other, _)| range.start < other.end && other.start < range.end)
    }

    fn is_ram(&self, start: u64, end: u64) -> bool {
        self.ram_ranges().iter().any(|ram| ram.start <= start && end <= ram.end)
    }

    /// The addresses at which RAM answers when the machine starts.
    fn ram_ranges(&self) -> [Range<u64>; 3] {
        [
            0..LOW_RAM_END,
            HIGH_RAM_START..self.memory.below_4g(),
            FOUR_GIB..FOUR_GIB + self.memory.above_4g(),
        ]
    }

    fn ram_text(&self) -> String {
        let ranges = self.ram_ranges();
        let texts: Vec<String> = ranges
            .iter()
            .filter(|range| !range.is_empty())
            .map(|range| format!("{:#x} to {:#x}", range.start, range.end))
            .collect();
        texts.join(", ")
    }
}
