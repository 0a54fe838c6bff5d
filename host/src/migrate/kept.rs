//! Blocks of memory of devices that are not there.

use std::collections::BTreeMap;

use vmstate::ram::{Block, PAGE_SIZE};

/// The most that is kept of all such blocks together, in bytes. The video memory of
/// a display is 16 MiB as a rule, of a big one 128 MiB.
pub(super) const MOST: u64 = 256 << 20;

/// Pages that are not zero, by their number.
type Pages = BTreeMap<u64, Box<[u8; PAGE_SIZE]>>;

/// A block of memory that the machine does not have. It takes as much room as it has
/// pages that are not zero, whatever size it claims.
pub(super) struct Kept {
    block: Block,
    pages: Pages,
}

/// More content than is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMuch;

/// How many more bytes of contents are kept.
pub(super) struct Room(u64);

impl Default for Room {
    fn default() -> Self {
        Self(MOST)
    }
}

impl Kept {
    pub(super) fn new(block: &Block) -> Self {
        Self { block: Block { address: None, ..block.clone() }, pages: Pages::new() }
    }

    pub(super) fn name(&self) -> &str {
        &self.block.name
    }

    pub(super) const fn size(&self) -> u64 {
        self.block.size
    }

    pub(super) fn block(&self) -> Block {
        self.block.clone()
    }

    /// A page by its offset, if it is not zero.
    pub(super) fn page(&self, offset: u64) -> Option<&[u8; PAGE_SIZE]> {
        self.pages.get(&(offset / PAGE_SIZE as u64)).map(|page| &**page)
    }

    /// Writes part of a page, or a page.
    pub(super) fn write(
        &mut self,
        offset: u64,
        bytes: &[u8],
        room: &mut Room,
    ) -> Result<(), TooMuch> {
        let (number, at) = (offset / PAGE_SIZE as u64, (offset % PAGE_SIZE as u64) as usize);
        let page = match self.pages.entry(number) {
            std::collections::btree_map::Entry::Occupied(page) => page.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => {
                room.0 = room.0.checked_sub(PAGE_SIZE as u64).ok_or(TooMuch)?;
                place.insert(Box::new([0; PAGE_SIZE]))
            }
        };
        // Callers stay inside a page; what does not is cut.
        for (to, from) in page[at..].iter_mut().zip(bytes) {
            *to = *from;
        }
        Ok(())
    }

    /// Makes a page one byte over and over.
    pub(super) fn fill(&mut self, offset: u64, byte: u8, room: &mut Room) -> Result<(), TooMuch> {
        if byte != 0 {
            return self.write(offset, &[byte; PAGE_SIZE], room);
        }
        if self.pages.remove(&(offset / PAGE_SIZE as u64)).is_some() {
            room.0 += PAGE_SIZE as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_of_any_size_takes_what_its_pages_take() {
        let block = Block { name: "vga.vram".into(), size: 1 << 60, address: Some(3) };
        let (mut kept, mut room) = (Kept::new(&block), Room(8192));
        assert_eq!(kept.block(), Block { address: None, ..block });
        kept.write(0x1234_5678_9ff0, &[7; 16], &mut room).unwrap();
        kept.fill(0x5000, 0, &mut room).unwrap();
        kept.fill(0x5000, 9, &mut room).unwrap();
        // Again costs nothing, another does not fit.
        kept.write(0x5fff, &[1, 2], &mut room).unwrap();
        assert_eq!(kept.write(0x6000, &[1], &mut room), Err(TooMuch));
        assert_eq!(kept.page(0x5000).unwrap()[0xffe..], [9, 1]);
        assert_eq!(
            kept.page(0x1234_5678_9000).unwrap()[0xfef..],
            [[0].as_slice(), &[7; 16]].concat()
        );
        assert_eq!(kept.page(0x6000), None);
        kept.fill(0x5000, 0, &mut room).unwrap();
        assert_eq!((kept.page(0x5000), room.0), (None, 4096));
    }
}
