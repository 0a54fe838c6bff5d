//! Finding places in RAM for what a guest starts with, and filling them.

use std::ops::Range;

use vm_memory::{Bytes, GuestAddress};

use super::memory_map::LOW_RAM_TOP;
use crate::vm::memory::{FOUR_GIB, HIGH_RAM_START, LOW_RAM_END, Memory};
use crate::vm::{Error, Image, PAGE};

/// The real mode interrupt table and the BIOS data area end here.
const LOW_RAM_BOTTOM: u64 = 0x500;

/// Where guests look for what firmware has left for them. It is no RAM of theirs, but
/// without firmware RAM answers there.
const BIOS: Range<u64> = 0xf_0000..HIGH_RAM_START;

/// How much is written at a time where zeros are needed.
const ZEROS: [u8; 4096] = [0; 4096];

/// A machine's RAM, and what of it is taken.
pub(super) struct Place<'a> {
    memory: &'a Memory,
    taken: Vec<(Range<u64>, String)>,
    reserved: Vec<Range<u64>>,
}

impl<'a> Place<'a> {
    /// All RAM, nothing taken.
    pub(super) fn new(memory: &'a Memory) -> Self {
        Self { memory, taken: Vec::new(), reserved: Vec::new() }
    }

    /// The machine's memory.
    pub(super) fn memory(&self) -> &Memory {
        self.memory
    }

    /// The pages of RAM that are not for the guest to use, in ascending order.
    pub(super) fn reserved(&self) -> &[Range<u64>] {
        &self.reserved
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
        let start = self.find(what, bytes.len() as u64, PAGE, within);
        let start = start.map_err(|problem| image.problem(problem))?;
        self.put(image, what, start, bytes)?;
        Ok(start)
    }

    /// Takes whole pages of RAM below 4 GiB, as high as possible, which the guest is told
    /// not to use; returns their address.
    pub(super) fn reserve_high(
        &mut self,
        what: &str,
        length: u64,
        alignment: u64,
    ) -> Result<u64, String> {
        let length = length.max(1).next_multiple_of(PAGE);
        let alignment = alignment.max(PAGE);
        let high = HIGH_RAM_START..self.memory.below_4g();
        let low = LOW_RAM_BOTTOM..LOW_RAM_TOP & !(PAGE - 1);
        let found = self.find(what, length, alignment, high);
        let start = found
            .or_else(|problem| self.find(what, length, alignment, low).map_err(|_| problem))?;
        self.taken.push((start..start + length, what.to_owned()));
        self.reserved.push(start..start + length);
        self.reserved.sort_by_key(|range| range.start);
        Ok(start)
    }

    /// Takes `length` bytes where guests look for what firmware has left, as high as
    /// possible; returns their address.
    pub(super) fn reserve_bios(
        &mut self,
        what: &str,
        length: u64,
        alignment: u64,
    ) -> Result<u64, String> {
        let length = length.max(1);
        let start = self.find(what, length, alignment, BIOS)?;
        self.taken.push((start..start + length, what.to_owned()));
        Ok(start)
    }

    /// The highest place for `length` bytes that nothing has taken.
    fn find(
        &self,
        what: &str,
        length: u64,
        alignment: u64,
        within: Range<u64>,
    ) -> Result<u64, String> {
        let mut end = within.end;
        loop {
            match end.checked_sub(length).map(|start| start - start % alignment) {
                Some(start) if start >= within.start => {
                    match self.overlap(&(start..start + length)) {
                        Some((other, _)) => end = other.start,
                        None => return Ok(start),
                    }
                }
                _ => {
                    return Err(format!(
                        "no room for {length:#x} bytes of {what} in RAM from {:#x} to {:#x}",
                        within.start, within.end
                    ));
                }
            }
        }
    }

    /// Fills a place that has been reserved.
    pub(super) fn fill(&self, start: u64, bytes: &[u8]) -> Result<(), String> {
        let written = self.memory.ram().write_slice(bytes, GuestAddress(start));
        written.map_err(|error| format!("cannot write at {start:#x}: {error}"))
    }

    /// Fills a place that is taken.
    pub(super) fn write(
        &self,
        image: &Image,
        what: &str,
        start: u64,
        bytes: &[u8],
    ) -> Result<(), Error> {
        self.fill(start, bytes).map_err(|problem| image.problem(format!("{what}: {problem}")))
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
