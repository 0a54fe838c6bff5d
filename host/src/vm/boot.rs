//! Starting a guest from a kernel image: the image and what it is to know go
//! into RAM, and the boot processor gets its [`Entry`].
//!
//! A guest that starts from firmware needs none of this: its image is the
//! machine's [`Rom`](super::Rom), and its entry is [`Entry::power_on`].

mod elf;
mod entry;
mod firmware;
mod flat;
mod linux;
mod long_mode;
mod memory_map;
mod multiboot;
mod place;
mod pvh;

use std::str::FromStr;

pub use entry::{Entry, Mode};
pub use firmware::FirmwareFiles;

use super::memory::Memory;
use super::{Error, Image};
use place::Place;

/// The formats of kernel images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// What [`detect`] finds.
    #[default]
    Auto,
    /// No format: the file is copied to [`Kernel::flat_address`] and entered at
    /// its first byte, in 32-bit protected mode without paging.
    Flat,
    /// An ELF executable for x86. One with a PVH note is entered as that says;
    /// others at their entry point: 32-bit ones in protected mode without
    /// paging, 64-bit ones in long mode with the first 4 GiB mapped at their
    /// own addresses.
    Elf,
    /// A multiboot (version 1) image.
    Multiboot,
    /// A 64-bit Linux kernel.
    BzImage,
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "auto" => Ok(Self::Auto),
            "flat" => Ok(Self::Flat),
            "elf" => Ok(Self::Elf),
            "multiboot" => Ok(Self::Multiboot),
            "bzimage" => Ok(Self::BzImage),
            _ => Err(Error::UnknownFormat(name.to_owned())),
        }
    }
}

/// A kernel, and what goes with it.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The kernel's image.
    pub image: Image,
    /// Its format.
    pub format: Format,
    /// The initial RAM disk; for a multiboot or PVH kernel, its only module.
    pub initrd: Option<Image>,
    /// The kernel's command line. A multiboot kernel gets its file name in
    /// front of it, as from QEMU.
    pub command_line: String,
    /// Where a flat image goes, in bytes.
    pub flat_address: u32,
}

impl Kernel {
    /// Where a flat image goes by default: 1 MiB.
    pub const FLAT_ADDRESS: u32 = 0x10_0000;

    /// A kernel of a format to be detected, with no initial RAM disk and an
    /// empty command line.
    pub fn new(image: Image) -> Self {
        Self {
            image,
            format: Format::Auto,
            initrd: None,
            command_line: String::new(),
            flat_address: Self::FLAT_ADDRESS,
        }
    }

    /// Refuses what goes with the kernel if the format cannot hand it over.
    fn expect_alone(&self, format: &str) -> Result<(), Error> {
        match &self.initrd {
            Some(initrd) => Err(initrd.problem(format!(
                "{} is {format} and takes no initial RAM disk",
                self.image.name()
            ))),
            None if !self.command_line.is_empty() => Err(self.image.problem(format!(
                "{format} takes no command line, but was given {:?}",
                self.command_line
            ))),
            None => Ok(()),
        }
    }
}

/// Tells what an image is: multiboot if it has that header in its first 8 KiB,
/// else a Linux kernel or an ELF executable by their magic numbers.
///
/// # Errors
///
/// It is none of these.
pub fn detect(image: &Image) -> Result<Format, Error> {
    if multiboot::has_header(image) {
        Ok(Format::Multiboot)
    } else if linux::has_magic(image) {
        Ok(Format::BzImage)
    } else if elf::has_magic(image) {
        Ok(Format::Elf)
    } else {
        Err(image.problem(
            "not a bootable image: no multiboot header in the first 8 KiB, no bzImage magic, no \
             ELF magic; use --format flat for a raw image",
        ))
    }
}

/// Loads a kernel into RAM, with the ACPI tables and SMBIOS that firmware would leave
/// there of the machine's files.
///
/// # Errors
///
/// The image is not what its format says, is truncated, asks for memory that is
/// not there or that something else takes, or cannot be given its initial RAM
/// disk or command line; or the files are not what they should be, or do not fit
/// beside it. RAM may then hold parts of it.
pub fn load(kernel: &Kernel, memory: &Memory, files: &dyn FirmwareFiles) -> Result<Entry, Error> {
    let mut place = Place::new(memory);
    match kernel.format {
        Format::Auto => {
            let format = detect(&kernel.image)?;
            let kernel = Kernel { format, ..kernel.clone() };
            load(&kernel, memory, files)
        }
        Format::Flat => flat::load(kernel, files, &mut place),
        Format::Elf => elf::load(kernel, files, &mut place),
        Format::Multiboot => multiboot::load(kernel, files, &mut place),
        Format::BzImage => linux::load(kernel, files, &mut place),
    }
}

#[cfg(test)]
mod tests;
