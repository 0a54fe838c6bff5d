//! Multiboot images (Multiboot Specification, version 0.6.96).

use super::elf::Elf;
use super::memory_map::{memory_map, usable_at};
use super::place::Place;
use super::{Entry, FirmwareFiles, Kernel, firmware};
use crate::vm::memory::HIGH_RAM_START;
use crate::vm::{Error, Image};

const HEADER_MAGIC: u32 = 0x1bad_b002;
/// In EAX at the kernel's entry.
const LOADER_MAGIC: u32 = 0x2bad_b002;

/// The header lies whole within so many bytes from the file's start.
const SEARCH: u64 = 8192;

/// The header's flags: what a loader must understand, and whether the load
/// addresses are in the header. Bit 0 (modules at page boundaries) and bit 1
/// (memory information) are always met; bit 2 (a video mode) is a wish.
const MUST_UNDERSTAND: u32 = 0xffff;
const UNDERSTOOD: u32 = 0x7;
const ADDRESSES: u32 = 1 << 16;

/// The information structure's flags.
const INFO_MEMORY: u32 = 1 << 0;
const INFO_COMMAND_LINE: u32 = 1 << 2;
const INFO_MODULES: u32 = 1 << 3;
const INFO_MEMORY_MAP: u32 = 1 << 6;
const INFO_LOADER_NAME: u32 = 1 << 9;

/// The size of the information structure, in 32-bit words.
const INFO_WORDS: usize = 29;

/// A header.
struct Header {
    /// Its offset in the file.
    offset: u64,
    flags: u32,
}

/// The header's load addresses, for images that are not ELF.
struct Addresses {
    header: u32,
    load: u32,
    load_end: u32,
    bss_end: u32,
    entry: u32,
}

/// Whether the image has a header.
pub(super) fn has_header(image: &Image) -> bool {
    find(image).is_some()
}

/// Loads an image, and its initial RAM disk as a module.
pub(super) fn load(
    kernel: &Kernel,
    files: &dyn FirmwareFiles,
    place: &mut Place<'_>,
) -> Result<Entry, Error> {
    let image = &kernel.image;
    let header = find(image).ok_or_else(|| {
        image.problem("not a multiboot image: no multiboot header in the first 8 KiB")
    })?;
    let unknown = header.flags & MUST_UNDERSTAND & !UNDERSTOOD;
    if unknown != 0 {
        return Err(image.problem(format!(
            "the multiboot header at offset {:#x} asks for unknown features {unknown:#x}",
            header.offset
        )));
    }
    let eip = if header.flags & ADDRESSES != 0 {
        header.addresses(image)?.load(image, header.offset, place)?
    } else {
        let elf = Elf::parse(image)?;
        elf.load(place)?;
        elf.entry_32()?
    };
    firmware::leave(files, place)?;
    let info = put_info(kernel, place)?;
    Ok(Entry { rax: LOADER_MAGIC.into(), rbx: info.into(), ..Entry::protected(eip) })
}

/// Finds the header: the magic number at a multiple of 4, with flags and a
/// checksum that makes the three add up to 0.
fn find(image: &Image) -> Option<Header> {
    (0..=SEARCH - 12).step_by(4).find_map(|offset| {
        let word = |index: u64| image.u32_at(offset + 4 * index, "").ok();
        if word(0)? != HEADER_MAGIC {
            return None;
        }
        let (flags, checksum) = (word(1)?, word(2)?);
        let sum = HEADER_MAGIC.wrapping_add(flags).wrapping_add(checksum);
        (sum == 0).then_some(Header { offset, flags })
    })
}

impl Header {
    fn addresses(&self, image: &Image) -> Result<Addresses, Error> {
        let word =
            |index: u64| image.u32_at(self.offset + 4 * index, "a multiboot header with addresses");
        Ok(Addresses {
            header: word(3)?,
            load: word(4)?,
            load_end: word(5)?,
            bss_end: word(6)?,
            entry: word(7)?,
        })
    }
}

impl Addresses {
    /// Loads the image (section 3.1.3 of the specification); returns the entry.
    fn load(&self, image: &Image, header: u64, place: &mut Place<'_>) -> Result<u32, Error> {
        let bad = |what: &str| {
            image.problem(format!("the multiboot header at offset {header:#x} has {what}"))
        };
        let before = self
            .header
            .checked_sub(self.load)
            .ok_or_else(|| bad("a header address below its load address"))?;
        let start = header
            .checked_sub(before.into())
            .ok_or_else(|| bad("a load address before the file's start"))?;
        let size = match self.load_end {
            0 => image.len().saturating_sub(start),
            end => end
                .checked_sub(self.load)
                .ok_or_else(|| bad("a load end address below its load address"))?
                .into(),
        };
        let zeros = match self.bss_end {
            0 => 0,
            end => u64::from(end)
                .checked_sub(u64::from(self.load) + size)
                .ok_or_else(|| bad("a bss end address below its load end address"))?,
        };
        let what = "the multiboot image";
        let load = u64::from(self.load);
        let bytes = image.slice(start, size, what)?;
        if !(load..load + size + zeros).contains(&self.entry.into()) {
            return Err(bad("an entry address outside of the image"));
        }
        place.take(image, what, load, size + zeros)?;
        place.write(image, what, load, bytes)?;
        place.write_zeros(image, what, load + size, zeros)?;
        Ok(self.entry)
    }
}

/// Puts what the kernel is told into RAM; returns the address of the
/// information structure (section 3.3).
fn put_info(kernel: &Kernel, place: &mut Place<'_>) -> Result<u32, Error> {
    let image = &kernel.image;
    let mut info = [0; INFO_WORDS];
    info[0] = INFO_MEMORY | INFO_COMMAND_LINE | INFO_MEMORY_MAP | INFO_LOADER_NAME;
    // In KiB: from address 0, and from 1 MiB up to the first hole.
    let map = memory_map(place);
    info[1] = (usable_at(&map, 0) >> 10) as u32;
    info[2] = (usable_at(&map, HIGH_RAM_START) >> 10) as u32;
    let command_line = match kernel.command_line.as_str() {
        "" => format!("{}\0", image.name()),
        append => format!("{} {append}\0", image.name()),
    };
    info[4] = place.put_low(image, "the command line", command_line.as_bytes())?;
    if let Some(initrd) = &kernel.initrd {
        info[0] |= INFO_MODULES;
        info[5] = 1;
        info[6] = put_module(kernel, initrd, place)?;
    }
    let map: Vec<u8> = map
        .iter()
        .flat_map(|range| {
            [
                &20u32.to_le_bytes()[..], // the size of what follows
                &range.start.to_le_bytes(),
                &range.length.to_le_bytes(),
                &range.kind.to_le_bytes(),
            ]
            .concat()
        })
        .collect();
    info[11] = map.len() as u32;
    info[12] = place.put_low(image, "the memory map", &map)?;
    info[16] = place.put_low(image, "the loader's name", b"southbridge\0")?;
    let info: Vec<u8> = info.into_iter().flat_map(u32::to_le_bytes).collect();
    place.put_low(image, "the multiboot information", &info)
}

/// Puts the module and its description into RAM; returns the latter's address.
fn put_module(kernel: &Kernel, initrd: &Image, place: &mut Place<'_>) -> Result<u32, Error> {
    let start = place.put_high(initrd, "the module", initrd.bytes(), u64::MAX)?;
    let name = format!("{}\0", initrd.name());
    let name = place.put_low(&kernel.image, "the module's name", name.as_bytes())?;
    let end = start + initrd.len() as u32;
    let module: Vec<u8> = [start, end, name, 0].into_iter().flat_map(u32::to_le_bytes).collect();
    place.put_low(&kernel.image, "the module list", &module)
}
