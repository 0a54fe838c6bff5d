//! 64-bit Linux kernels (the kernel's Documentation/arch/x86/boot.rst, "64-bit
//! Boot Protocol").

use std::io::Cursor;

use linux_loader::loader::bootparam::{boot_e820_entry, boot_params, setup_header};
use linux_loader::loader::{BzImage, KernelLoader};
use vm_memory::ByteValued;

use super::firmware::Left;
use super::memory_map::memory_map;
use super::place::Place;
use super::{Entry, FirmwareFiles, Kernel, firmware, long_mode};
use crate::vm::{Error, Image};

const SETUP_HEADER: u64 = 0x1f1;
const MAGIC: u64 = 0x202;

/// The setup header is read whole by the loader library; protocol 2.12, the
/// first with a 64-bit entry, has all its fields that are used here.
const SETUP_HEADER_END: u64 = SETUP_HEADER + size_of::<setup_header>() as u64;
const VERSION_2_12: u16 = 0x020c;

/// `xloadflags`: the kernel has the 64-bit entry point, at this offset.
const XLF_KERNEL_64: u16 = 1;
const ENTRY_64: u64 = 0x200;

/// `type_of_loader` for loaders without a number of their own.
const LOADER_UNDEFINED: u8 = 0xff;

/// Whether the image begins as Linux kernels do.
pub(super) fn has_magic(image: &Image) -> bool {
    matches!(image.slice(MAGIC, 4, ""), Ok(b"HdrS"))
}

/// Loads a kernel, its initial RAM disk and its command line.
pub(super) fn load(
    kernel: &Kernel,
    files: &dyn FirmwareFiles,
    place: &mut Place<'_>,
) -> Result<Entry, Error> {
    let image = &kernel.image;
    if !has_magic(image) {
        return Err(image
            .problem(format!("not a Linux kernel: no bzImage magic (HdrS) at offset {MAGIC:#x}")));
    }
    image.slice(SETUP_HEADER, SETUP_HEADER_END - SETUP_HEADER, "setup header")?;
    let version = image.u16_at(MAGIC + 4, "the protocol version")?;
    if version < VERSION_2_12 {
        return Err(image.problem(format!(
            "boot protocol {}.{:02} at offset {:#x}: expected 2.12 or later, the first with a \
             64-bit entry",
            version >> 8,
            version & 0xff,
            MAGIC + 4
        )));
    }
    let setup_sectors = match image.bytes()[SETUP_HEADER as usize] {
        0 => 4, // what 0 has meant from the first version on
        sectors => u64::from(sectors),
    };
    let offset = (setup_sectors + 1) * 512;
    let size = image.len().saturating_sub(offset);
    // Its own idea of its size, in units of 16 bytes, tells a truncated file.
    let paragraphs = image.u32_at(0x1f4, "the size of the kernel code")?;
    let least = (u64::from(paragraphs) * 16).max(ENTRY_64 + 1);
    image.slice(offset, least, "kernel code")?;
    let address = u64::from(image.u32_at(0x214, "the load address")?);
    place.take(image, "the kernel", address, size)?;
    let loaded = BzImage::load(place.memory().ram(), None, &mut Cursor::new(image.bytes()), None)
        .map_err(|error| image.problem(error.to_string()))?;
    let mut header = loaded.setup_header.unwrap_or_default();
    if header.xloadflags & XLF_KERNEL_64 == 0 {
        return Err(image.problem(
            "the kernel has no 64-bit entry (xloadflags bit 0 at offset 0x236): expected a \
             64-bit kernel",
        ));
    }
    take_workspace(image, &header, place, address, size)?;
    let left = firmware::leave(files, place)?;
    header.type_of_loader = LOADER_UNDEFINED;
    header.cmd_line_ptr = put_command_line(kernel, &header, place)?;
    if let Some(initrd) = &kernel.initrd {
        let end = u64::from(header.initrd_addr_max) + 1;
        header.ramdisk_image =
            place.put_high(initrd, "the initial RAM disk", initrd.bytes(), end)?;
        header.ramdisk_size = initrd.len() as u32;
    }
    let parameters = put_parameters(image, header, left, place)?;
    Ok(Entry {
        rsi: parameters.into(),
        ..long_mode::enter(image, place, loaded.kernel_load.0 + ENTRY_64)?
    })
}

/// Takes the memory in which the kernel unpacks itself: `init_size` bytes from
/// where it wants to run, of which it may hold a part already.
fn take_workspace(
    image: &Image,
    header: &setup_header,
    place: &mut Place<'_>,
    address: u64,
    size: u64,
) -> Result<(), Error> {
    let start = match header.relocatable_kernel {
        0 => header.pref_address,
        _ => {
            let alignment = u64::from(header.kernel_alignment).max(1);
            let aligned = address.checked_next_multiple_of(alignment);
            aligned.unwrap_or(u64::MAX).max(header.pref_address)
        }
    };
    let end = start.saturating_add(header.init_size.into());
    let start = start.max(address + size);
    place.take(image, "the unpacked kernel", start, end.saturating_sub(start))
}

fn put_command_line(
    kernel: &Kernel,
    header: &setup_header,
    place: &mut Place<'_>,
) -> Result<u32, Error> {
    let (length, most) = (kernel.command_line.len(), header.cmdline_size);
    if length as u64 > u64::from(most) {
        return Err(kernel.image.problem(format!(
            "a command line of {length} bytes: this kernel takes at most {most}"
        )));
    }
    let bytes = [kernel.command_line.as_bytes(), b"\0"].concat();
    place.put_low(&kernel.image, "the command line", &bytes)
}

/// Puts the "zero page" into RAM; returns its address.
fn put_parameters(
    image: &Image,
    header: setup_header,
    left: Left,
    place: &mut Place<'_>,
) -> Result<u32, Error> {
    let mut parameters =
        boot_params { hdr: header, acpi_rsdp_addr: left.root_pointer, ..Default::default() };
    let map = memory_map(place);
    parameters.e820_entries = map.len() as u8;
    for (entry, range) in parameters.e820_table.iter_mut().zip(&map) {
        *entry = boot_e820_entry { addr: range.start, size: range.length, r#type: range.kind };
    }
    place.put_low(image, "the boot parameters", parameters.as_slice())
}
