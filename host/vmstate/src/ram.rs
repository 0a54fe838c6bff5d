//! Guest memory in a stream: the section "ram", version 4.
//!
//! Its first piece lists the blocks of memory, every piece holds records: a page,
//! or a page that is one byte over and over. A record is a word, the offset into
//! its block with flags in the low bits, and what the flags announce.

use crate::wire::{Reader, Truncated, Writer};

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

/// A record, as far as its head tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// A page whose content follows in so many bytes.
    Page(u64),
    /// A page of one byte.
    Zero,
    /// Something that takes no more bytes.
    Mark,
    /// The end of the piece.
    End,
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

/// Reads the head of a record. `known` tells whether a block of that name is in
/// the list; `same` whether there was a record before in this section.
pub(crate) fn read_record(
    reader: &mut Reader<'_>,
    same: bool,
    known: impl Fn(&[u8]) -> bool,
) -> Result<Record, Failed> {
    let flags = reader.integer(8)? & flag::ALL;
    match flags {
        flag::EOS => return Ok(Record::End),
        flag::MULTIFD_FLUSH => return Ok(Record::Mark),
        _ => {}
    }
    if flags & flag::CONTINUE == 0 {
        let length = reader.integer(1)? as usize;
        if !known(reader.bytes(length)?) {
            return Err(Failed::Wrong("a page of a block that is not listed"));
        }
    } else if !same {
        return Err(Failed::Wrong("a page of no block"));
    }
    Ok(match flags & !flag::CONTINUE {
        flag::ZERO => {
            reader.integer(1)?;
            Record::Zero
        }
        flag::PAGE => Record::Page(PAGE_SIZE as u64),
        flag::XBZRLE => {
            // One byte names the encoding; there is one.
            let (encoding, length) = (reader.integer(1)?, reader.integer(2)?);
            if encoding != 1 || length > PAGE_SIZE as u64 {
                return Err(Failed::Wrong("a page in an unknown encoding"));
            }
            Record::Page(length)
        }
        flag::COMPRESS => match reader.integer(4)? {
            // What zlib needs at most for a page that cannot be compressed.
            length if length <= PAGE_SIZE as u64 + 14 => Record::Page(length),
            _ => return Err(Failed::Wrong("a compressed page that is longer than a page")),
        },
        _ => return Err(Failed::Wrong("a record with unknown flags")),
    })
}

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
    match page.iter().all(|byte| *byte == page[0]) {
        true => {
            record(writer, block, offset, flag::ZERO);
            writer.bytes(&page[..1]);
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
