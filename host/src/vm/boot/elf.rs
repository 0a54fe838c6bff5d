//! ELF executables for x86, 32- and 64-bit (System V ABI, "Object Files").

use super::place::Place;
use super::{Entry, FirmwareFiles, Kernel, firmware, long_mode, pvh};
use crate::vm::{Error, Image};

const MAGIC: &[u8] = b"\x7fELF";

const CLASS: u64 = 4;
const CLASS_32: u8 = 1;
const CLASS_64: u8 = 2;
const LITTLE_ENDIAN: u8 = 1;

const ET_EXEC: u16 = 2;
const ET_DYN: u16 = 3;

const EM_386: u16 = 3;
const EM_X86_64: u16 = 62;

const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;

/// More program headers than this are no kernel's; it bounds the work a hostile
/// file can ask for.
const MOST_PROGRAM_HEADERS: u16 = 256;

/// A range of the file that goes into memory.
#[derive(Clone, Copy, Debug)]
struct Segment {
    kind: u32,
    offset: u64,
    virtual_address: u64,
    physical_address: u64,
    file_size: u64,
    memory_size: u64,
}

/// What an executable's headers say.
#[derive(Debug)]
pub(super) struct Elf<'a> {
    image: &'a Image,
    long: bool,
    entry: u64,
    segments: Vec<Segment>,
}

/// Whether the image begins as ELF files do.
pub(super) fn has_magic(image: &Image) -> bool {
    image.bytes().starts_with(MAGIC)
}

/// Loads an executable that is entered by its PVH note or at its entry point.
pub(super) fn load(
    kernel: &Kernel,
    files: &dyn FirmwareFiles,
    place: &mut Place<'_>,
) -> Result<Entry, Error> {
    let elf = Elf::parse(&kernel.image)?;
    let pvh_entry = elf.pvh_entry()?;
    if pvh_entry.is_none() {
        kernel.expect_alone("an ELF image without a PVH note")?;
    }
    elf.load(place)?;
    let left = firmware::leave(files, place)?;
    match pvh_entry {
        Some(eip) => pvh::enter(kernel, left, place, eip),
        None if elf.long => long_mode::enter(&kernel.image, place, elf.entry()?),
        None => Ok(Entry::protected(elf.entry_32()?)),
    }
}

impl<'a> Elf<'a> {
    /// Reads the headers.
    pub(super) fn parse(image: &'a Image) -> Result<Self, Error> {
        let identity = image.slice(0, 16, "ELF header")?;
        if !has_magic(image) {
            return Err(image.problem("not an ELF image: no ELF magic at offset 0"));
        }
        let long = match identity[CLASS as usize] {
            CLASS_32 => false,
            CLASS_64 => true,
            class => {
                return Err(image.problem(format!(
                    "ELF class {class} at offset 0x4: expected 1 (32-bit) or 2 (64-bit)"
                )));
            }
        };
        if identity[5] != LITTLE_ENDIAN {
            return Err(image.problem(format!(
                "ELF byte order {} at offset 0x5: expected 1 (little-endian)",
                identity[5]
            )));
        }
        let header = Fields { image, long };
        let kind = header.half(16, "the ELF type")?;
        if kind != ET_EXEC && kind != ET_DYN {
            return Err(image.problem(format!(
                "ELF type {kind} at offset 0x10: expected 2 or 3 (an executable)"
            )));
        }
        let machine = header.half(18, "the ELF machine")?;
        if machine != if long { EM_X86_64 } else { EM_386 } {
            return Err(image.problem(format!(
                "ELF machine {machine} at offset 0x12: expected 3 (32-bit x86) or 62 (64-bit x86)"
            )));
        }
        Ok(Self {
            image,
            long,
            entry: header.word(24, 24, "the ELF entry point")?,
            segments: header.segments()?,
        })
    }

    /// Copies the loadable segments to their physical addresses and zeroes what
    /// the file leaves out of them.
    pub(super) fn load(&self, place: &mut Place<'_>) -> Result<(), Error> {
        let image = self.image;
        for (index, segment) in self.loadable().enumerate() {
            let what = format!("ELF segment {index}");
            let start = segment.physical_address;
            let bytes = image.slice(segment.offset, segment.file_size, &what)?;
            let Some(zeros) = segment.memory_size.checked_sub(segment.file_size) else {
                return Err(image.problem(format!(
                    "{what} has {:#x} bytes in the file but only {:#x} in memory",
                    segment.file_size, segment.memory_size
                )));
            };
            place.take(image, &what, start, segment.memory_size)?;
            place.write(image, &what, start, bytes)?;
            place.write_zeros(image, &what, start + segment.file_size, zeros)?;
        }
        match self.loadable().next() {
            Some(_) => Ok(()),
            None => Err(image.problem("the ELF image has no loadable segment")),
        }
    }

    /// The entry point's physical address. The header gives its virtual one, if
    /// the two differ; QEMU translates it likewise.
    pub(super) fn entry(&self) -> Result<u64, Error> {
        let offset_in = |start: u64, segment: &Segment| {
            let offset = self.entry.checked_sub(start)?;
            (offset < segment.memory_size).then_some(offset)
        };
        self.loadable()
            .find_map(|s| Some(s.physical_address + offset_in(s.virtual_address, s)?))
            .or_else(|| {
                self.loadable()
                    .find_map(|s| Some(s.physical_address + offset_in(s.physical_address, s)?))
            })
            .ok_or_else(|| {
                self.image.problem(format!(
                    "the ELF entry point {:#x} is in no loadable segment",
                    self.entry
                ))
            })
    }

    /// The same, for an entry in 32-bit mode.
    pub(super) fn entry_32(&self) -> Result<u32, Error> {
        u32::try_from(self.entry()?).map_err(|_| {
            self.image.problem(format!("the ELF entry point {:#x} is not below 4 GiB", self.entry))
        })
    }

    /// The entry point of a PVH note, if there is one.
    fn pvh_entry(&self) -> Result<Option<u32>, Error> {
        for segment in self.segments.iter().filter(|s| s.kind == PT_NOTE) {
            let notes = self.image.slice(segment.offset, segment.file_size, "ELF notes")?;
            if let Some(entry) = pvh::entry_in_notes(notes) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    fn loadable(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter().filter(|segment| {
            segment.kind == PT_LOAD && segment.memory_size | segment.file_size != 0
        })
    }
}

/// Reads headers of either class.
struct Fields<'a> {
    image: &'a Image,
    long: bool,
}

impl Fields<'_> {
    fn half(&self, offset: u64, what: &str) -> Result<u16, Error> {
        self.image.u16_at(offset, what)
    }

    /// A field that is as wide as an address, at `short` or `long`.
    fn word(&self, short: u64, long: u64, what: &str) -> Result<u64, Error> {
        if self.long {
            self.image.u64_at(long, what)
        } else {
            self.image.u32_at(short, what).map(u64::from)
        }
    }

    fn segments(&self) -> Result<Vec<Segment>, Error> {
        let what = "ELF program headers";
        let table = self.word(28, 32, what)?;
        let (size_at, count_at, least) = if self.long { (54, 56, 56) } else { (42, 44, 32) };
        let (size, count) = (self.half(size_at, what)?, self.half(count_at, what)?);
        if size < least {
            return Err(self.image.problem(format!(
                "ELF program headers of {size} bytes at offset {size_at:#x}: expected at least \
                 {least}"
            )));
        }
        if count > MOST_PROGRAM_HEADERS {
            return Err(self.image.problem(format!(
                "{count} ELF program headers at offset {count_at:#x}: expected at most \
                 {MOST_PROGRAM_HEADERS}"
            )));
        }
        let total = u64::from(size) * u64::from(count);
        self.image.slice(table, total, what)?;
        (0..u64::from(count)).map(|index| self.segment(table + index * u64::from(size))).collect()
    }

    fn segment(&self, base: u64) -> Result<Segment, Error> {
        let what = "an ELF program header";
        let word = |short, long| self.word(base + short, base + long, what);
        Ok(Segment {
            kind: self.image.u32_at(base, what)?,
            offset: word(4, 8)?,
            virtual_address: word(8, 16)?,
            physical_address: word(12, 24)?,
            file_size: word(16, 32)?,
            memory_size: word(20, 40)?,
        })
    }
}
