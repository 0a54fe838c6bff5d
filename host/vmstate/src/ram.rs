//! Guest memory in a stream: the section "ram", version 4.
//!
//! Its first piece lists the blocks of memory, every piece holds records: a page,
//! or a page that is one byte over and over. A record is a word, the offset into
//! its block with flags in the low bits, and what the flags announce.

mod write;

use crate::stream::Configuration;
use crate::wire::{Reader, Truncated};

pub use write::{MemoryWriter, write_blocks, write_end, write_page};

/// The section's name.
pub const NAME: &str = "ram";
/// The section's version.
pub const VERSION: u32 = 4;
/// Bytes of a page.
pub const PAGE_SIZE: usize = 4096;

/// The flags of a record (QEMU's `RAM_SAVE_FLAG_*`).
mod flag {
    pub(super) const ZERO: u64 = 0x02;
    pub(super) const MEM_SIZE: u64 = 0x04;
    pub(super) const PAGE: u64 = 0x08;
    pub(super) const EOS: u64 = 0x10;
    pub(super) const CONTINUE: u64 = 0x20;
    pub(super) const XBZRLE: u64 = 0x40;
    pub(super) const COMPRESS: u64 = 0x100;
    pub(super) const MULTIFD_FLUSH: u64 = 0x200;
    /// Everything below the offset, which is a multiple of the page size.
    pub(super) const ALL: u64 = 0xfff;
}

/// A block of guest memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// QEMU's name of it: `pc.ram`, or a device's path and a name. At most 255 bytes.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Where it lies, in streams that say so.
    pub address: Option<u64>,
}

/// Takes guest memory while a stream goes by. What it refuses, it refuses with the
/// reason: one line.
pub trait Memory {
    /// The blocks of memory, before anything of their contents, and what was said of
    /// the machine.
    ///
    /// # Errors
    /// The reason why this memory is not wanted; the stream is refused with it.
    fn blocks(
        &mut self,
        configuration: Option<&Configuration>,
        blocks: &[Block],
    ) -> Result<(), String>;

    /// Contents of a block, which is given by its position in the list: part of a
    /// page, or a whole one. They lie inside the block. A page may come again.
    ///
    /// # Errors
    /// As [`blocks`](Self::blocks).
    fn bytes(&mut self, block: usize, offset: u64, bytes: &[u8]) -> Result<(), String>;

    /// A page of a block that is one byte over and over.
    ///
    /// # Errors
    /// As [`blocks`](Self::blocks).
    fn fill(&mut self, block: usize, offset: u64, byte: u8) -> Result<(), String>;
}

/// A record, as far as its head tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// A page.
    Page(Page),
    /// The other channels of the stream are to be waited for.
    Flush,
    /// The end of the piece.
    End,
}

/// A page in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// The position of its block in the list.
    pub(crate) block: usize,
    /// Where it lies in its block.
    pub(crate) offset: u64,
    pub(crate) form: Form,
}

/// How a page's content is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// It follows.
    Plain,
    /// It is this byte over and over.
    Fill(u8),
    /// It follows in another form, in so many bytes.
    Encoded(u64, &'static str),
}

/// Why something cannot be read.
pub(crate) enum Failed {
    /// More data is needed.
    Short,
    Wrong(&'static str),
}

impl From<Truncated> for Failed {
    fn from(_: Truncated) -> Self {
        Self::Short
    }
}

/// Reads the word that announces the list of blocks: the sum of their sizes.
pub(crate) fn read_total(reader: &mut Reader<'_>) -> Result<u64, Failed> {
    match reader.integer(8)? {
        word if word & flag::ALL == flag::MEM_SIZE => Ok(word & !flag::ALL),
        _ => Err(Failed::Wrong("it does not start with its size")),
    }
}

/// Reads an entry of the list of blocks.
pub(crate) fn read_block(reader: &mut Reader<'_>, addresses: bool) -> Result<Block, Failed> {
    let length = reader.integer(1)? as usize;
    let name = std::str::from_utf8(reader.bytes(length)?);
    let name = name.map_err(|_| Failed::Wrong("a block's name is not text"))?.to_owned();
    let size = reader.integer(8)?;
    let address = if addresses { Some(reader.integer(8)?) } else { None };
    Ok(Block { name, size, address })
}

/// Reads the head of a record. `last` is the block of the record before in this
/// section.
pub(crate) fn read_record(
    reader: &mut Reader<'_>,
    blocks: &[Block],
    last: Option<usize>,
) -> Result<Record, Failed> {
    let word = reader.integer(8)?;
    let (offset, flags) = (word & !flag::ALL, word & flag::ALL);
    match flags {
        flag::EOS => return Ok(Record::End),
        flag::MULTIFD_FLUSH => return Ok(Record::Flush),
        _ => {}
    }
    let block = if flags & flag::CONTINUE == 0 {
        let length = reader.integer(1)? as usize;
        let name = reader.bytes(length)?;
        let found = blocks.iter().position(|block| block.name.as_bytes() == name);
        found.ok_or(Failed::Wrong("a page of a block that is not listed"))?
    } else {
        last.ok_or(Failed::Wrong("a page of no block"))?
    };
    let form = match flags & !flag::CONTINUE {
        flag::ZERO => Form::Fill(reader.integer(1)? as u8),
        flag::PAGE => Form::Plain,
        flag::XBZRLE => {
            // One byte names the encoding; there is one.
            let (encoding, length) = (reader.integer(1)?, reader.integer(2)?);
            if encoding != 1 || length > PAGE_SIZE as u64 {
                return Err(Failed::Wrong("a page in an unknown encoding"));
            }
            Form::Encoded(length, "xbzrle")
        }
        flag::COMPRESS => match reader.integer(4)? {
            // What zlib needs at most for a page that cannot be compressed.
            length if length <= PAGE_SIZE as u64 + 14 => Form::Encoded(length, "compress"),
            _ => return Err(Failed::Wrong("a compressed page that is longer than a page")),
        },
        _ => return Err(Failed::Wrong("a record with unknown flags")),
    };
    let inside = blocks.get(block).is_some_and(|block| {
        block.size.checked_sub(PAGE_SIZE as u64).is_some_and(|last| offset <= last)
    });
    match inside {
        true => Ok(Record::Page(Page { block, offset, form })),
        false => Err(Failed::Wrong("a page outside its block")),
    }
}
