//! Writing guest memory.

use super::{Block, NAME, PAGE_SIZE, VERSION, flag};
use crate::stream::{Framing, SWITCHOVER_START, section};
use crate::wire::Writer;

/// Appends a list of blocks as it stands at the start of the section.
pub fn write_blocks(writer: &mut Writer, blocks: &[Block]) {
    let total = blocks.iter().fold(0u64, |sum, block| sum.wrapping_add(block.size));
    writer.integer(total | flag::MEM_SIZE, 8);
    for block in blocks {
        name(writer, &block.name);
        writer.integer(block.size, 8);
        if let Some(address) = block.address {
            writer.integer(address, 8);
        }
    }
}

/// Appends a page at `offset` of a block, a multiple of the page size. Without a
/// name the block is that of the record before.
pub fn write_page(writer: &mut Writer, block: Option<&str>, offset: u64, page: &[u8; PAGE_SIZE]) {
    match is_zero(page) {
        true => {
            record(writer, block, offset, flag::ZERO);
            writer.integer(0, 1);
        }
        false => {
            record(writer, block, offset, flag::PAGE);
            writer.bytes(page);
        }
    }
}

/// Appends the end of a piece of the section.
pub fn write_end(writer: &mut Writer) {
    writer.integer(flag::EOS, 8);
}

fn record(writer: &mut Writer, block: Option<&str>, offset: u64, flags: u64) {
    match block {
        None => writer.integer(offset | flags | flag::CONTINUE, 8),
        Some(block) => {
            writer.integer(offset | flags, 8);
            name(writer, block);
        }
    }
}

fn name(writer: &mut Writer, name: &str) {
    let name = &name.as_bytes()[..name.len().min(u8::MAX.into())];
    writer.integer(name.len() as u64, 1);
    writer.bytes(name);
}

/// Whether a page can be a record of one byte. QEMU 9.0 and later take no other
/// byte there than zero.
fn is_zero(page: &[u8]) -> bool {
    const ZERO: [u8; PAGE_SIZE] = [0; PAGE_SIZE];
    *page == ZERO
}

/// Pages of memory in a piece; so many take 1 MiB.
const PIECE_PAGES: usize = 256;
/// The most pages in a piece, of which most are zero: 256 MiB of memory.
const PAGES_MAX: usize = 1 << 16;
/// The most bytes of a record: a word, a block's name with its length, a page.
const RECORD_MAX: usize = 8 + 1 + 255 + PAGE_SIZE;
/// The most bytes around the records of a piece: its head, the last record, a footer.
const AROUND: usize = HEAD + 8 + 5;
/// The bytes of a piece before its first record: a type and the section's id.
const HEAD: usize = 5;

/// Writes guest memory piece by piece, in constant memory: [`start`](Self::start),
/// pieces of pages, [`end`](Self::end).
///
/// ```
/// use vmstate::Framing;
/// use vmstate::ram::{Block, MemoryWriter};
///
/// let blocks = vec![Block { name: "pc.ram".into(), size: 8192, address: None }];
/// let mut writer = MemoryWriter::new(2, Framing::default(), blocks);
/// let mut live = writer.start();
/// writer.page(0, 0, |page| page.fill(7));
/// writer.page(0, 4096, |page| page.fill(0));
/// live.extend_from_slice(writer.piece());
/// live.extend(writer.end());
/// assert_eq!((writer.pages(), writer.zero_pages()), (1, 1));
/// ```
#[derive(Debug)]
pub struct MemoryWriter {
    id: u32,
    framing: Framing,
    blocks: Vec<Block>,
    /// A piece, as far as it has come. Longer than that from the start: to grow page
    /// by page would cost as much as to copy them.
    buffer: Vec<u8>,
    /// How much of it is written.
    used: usize,
    /// How many pages are in it.
    count: usize,
    /// Whether the piece has been asked for.
    taken: bool,
    /// The block of the record before, in this piece.
    last: Option<usize>,
    pages: u64,
    zero_pages: u64,
}

impl MemoryWriter {
    /// For a section with this id, which no other section of the stream has.
    #[must_use]
    pub fn new(id: u32, framing: Framing, blocks: Vec<Block>) -> Self {
        let buffer = vec![0; PIECE_PAGES * (8 + PAGE_SIZE) + RECORD_MAX + AROUND];
        let mut writer = Self {
            id,
            framing,
            blocks,
            buffer,
            used: 0,
            count: 0,
            taken: false,
            last: None,
            pages: 0,
            zero_pages: 0,
        };
        writer.put(&[section::PART]);
        writer.put(&id.to_be_bytes());
        writer
    }

    /// The first piece of the section: the list of blocks.
    #[must_use]
    pub fn start(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.head(section::START, &mut writer);
        name(&mut writer, NAME);
        writer.integer(0, 4);
        writer.integer(VERSION.into(), 4);
        write_blocks(&mut writer, &self.blocks);
        self.finish(writer)
    }

    /// Adds a page to the piece, at `offset` of a block, which is given by its
    /// position in the list. `read` puts the page's content into the bytes it is
    /// given, which hold anything.
    pub fn page(&mut self, block: usize, offset: u64, read: impl FnOnce(&mut [u8])) {
        let Some(Block { name, .. }) = self.blocks.get(block) else { return };
        let name = &name.as_bytes()[..name.len().min(u8::MAX.into())];
        if self.taken {
            (self.used, self.count, self.taken, self.last) = (HEAD, 0, false, None);
        }
        if self.buffer.len() < self.used + RECORD_MAX + AROUND {
            self.buffer.resize(self.used + RECORD_MAX + AROUND, 0);
        }
        let (word, mut at) = (self.used, self.used + 8);
        let same = self.last == Some(block);
        if !same {
            self.buffer[at] = name.len() as u8;
            self.buffer[at + 1..=at + name.len()].copy_from_slice(name);
            at += 1 + name.len();
        }
        let page = &mut self.buffer[at..at + PAGE_SIZE];
        read(page);
        let zero = is_zero(page);
        self.used = at + if zero { 1 } else { PAGE_SIZE };
        let flags = if zero { flag::ZERO } else { flag::PAGE };
        let value = offset | flags | if same { flag::CONTINUE } else { 0 };
        self.buffer[word..word + 8].copy_from_slice(&value.to_be_bytes());
        self.last = Some(block);
        self.count += 1;
        match zero {
            true => self.zero_pages += 1,
            false => self.pages += 1,
        }
    }

    /// Whether the piece is to be taken, or it grows beyond its usual size.
    #[must_use]
    pub fn is_full(&self) -> bool {
        !self.taken
            && (self.used + RECORD_MAX + AROUND > self.buffer.len() || self.count >= PAGES_MAX)
    }

    /// Whether the piece has no page.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.taken || self.count == 0
    }

    /// Ends the piece and returns it. The next page begins another one.
    pub fn piece(&mut self) -> &[u8] {
        if self.is_empty() {
            return &[];
        }
        self.put(&flag::EOS.to_be_bytes());
        if self.framing.footers {
            self.put(&[section::FOOTER]);
            self.put(&self.id.to_be_bytes());
        }
        self.taken = true;
        &self.buffer[..self.used]
    }

    /// The last piece of the section, which has no pages, and what comes before it.
    #[must_use]
    pub fn end(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        if self.framing.switchover_start {
            writer.integer(section::COMMAND.into(), 1);
            writer.integer(SWITCHOVER_START.into(), 2);
            // It has no data.
            writer.integer(0, 2);
        }
        self.head(section::END, &mut writer);
        self.finish(writer)
    }

    /// How many pages have been written with their contents.
    #[must_use]
    pub const fn pages(&self) -> u64 {
        self.pages
    }

    /// How many zero pages have been written.
    #[must_use]
    pub const fn zero_pages(&self) -> u64 {
        self.zero_pages
    }

    fn put(&mut self, bytes: &[u8]) {
        self.buffer[self.used..self.used + bytes.len()].copy_from_slice(bytes);
        self.used += bytes.len();
    }

    fn head(&self, kind: u8, writer: &mut Writer) {
        writer.integer(kind.into(), 1);
        writer.integer(self.id.into(), 4);
    }

    fn finish(&self, mut writer: Writer) -> Vec<u8> {
        write_end(&mut writer);
        if self.framing.footers {
            writer.integer(section::FOOTER.into(), 1);
            writer.integer(self.id.into(), 4);
        }
        writer.into_bytes()
    }
}
