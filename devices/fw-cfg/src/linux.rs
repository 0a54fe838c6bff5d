//! A Linux kernel for firmware to start ("The Linux/x86 Boot Protocol").

use southbridge_sdk::Context;

use crate::config::Config;
use crate::content::Content;
use crate::entries::{Entries, key};
use crate::given::Given;

/// Fields of the setup header, by their offsets in the file.
mod field {
    pub(super) const SETUP_SECTS: usize = 0x1f1;
    pub(super) const VID_MODE: usize = 0x1fa;
    pub(super) const HEADER: usize = 0x202;
    pub(super) const VERSION: usize = 0x206;
    pub(super) const TYPE_OF_LOADER: usize = 0x210;
    pub(super) const LOADFLAGS: usize = 0x211;
    pub(super) const RAMDISK_IMAGE: usize = 0x218;
    pub(super) const RAMDISK_SIZE: usize = 0x21c;
    pub(super) const HEAP_END_PTR: usize = 0x224;
    pub(super) const CMD_LINE_PTR: usize = 0x228;
    pub(super) const INITRD_ADDR_MAX: usize = 0x22c;
    pub(super) const XLOADFLAGS: usize = 0x236;
    /// The way of protocols before 2.02.
    pub(super) const CL_MAGIC: usize = 0x20;
    pub(super) const CL_OFFSET: usize = 0x22;
}

const SECTOR: u64 = 512;

/// Bits of `loadflags` and `xloadflags`.
const LOADED_HIGH: u8 = 1 << 0;
const CAN_USE_HEAP: u8 = 1 << 7;
const CAN_BE_LOADED_ABOVE_4G: u8 = 1 << 1;

/// The loader's number for QEMU.
const QEMU: u8 = 0xb0;

/// The greatest address of an initrd where the header does not say.
const USUAL_INITRD_MAX: u32 = 0x37ff_ffff;

/// Where the parts go.
struct Places {
    setup: u32,
    cmdline: u32,
    kernel: u32,
}

/// Adds the entries of a kernel.
pub(crate) fn add(
    cx: &mut Context<'_>,
    config: &Config,
    given: &Given,
    kernel: u32,
    entries: &mut Entries,
) -> Result<(), String> {
    let size = u32::try_from(cx.file_size(kernel)).map_err(|_| "file kernel: too large")?;
    let first = read(cx, kernel, 0, 0x400);
    if size < 0x400 || first[field::HEADER..field::VERSION] != *b"HdrS" {
        return Err("file kernel: not a Linux kernel image (bzImage)".into());
    }
    let sectors = match first[field::SETUP_SECTS] {
        0 => 4,
        sectors => u64::from(sectors),
    };
    let setup_size = (sectors + 1) * SECTOR;
    if setup_size > size.into() {
        return Err("file kernel: shorter than its header says".into());
    }
    let setup_size = setup_size as u32;
    let mut setup = read(cx, kernel, 0, setup_size);
    let version = u16::from_le_bytes([setup[field::VERSION], setup[field::VERSION + 1]]);

    let mut cmdline = given.cmdline.map_or_else(Vec::new, |file| {
        let size = u32::try_from(cx.file_size(file)).unwrap_or(u32::MAX);
        read(cx, file, 0, size.min(0x1_0000))
    });
    if let Some(end) = cmdline.iter().position(|byte| *byte == 0) {
        cmdline.truncate(end);
    }
    let text = String::from_utf8_lossy(&cmdline).into_owned();
    cmdline.push(0);

    let places = places(version, setup[field::LOADFLAGS], cmdline.len() as u32);
    if version >= 0x202 {
        store(&mut setup, field::CMD_LINE_PTR, &places.cmdline.to_le_bytes());
    } else {
        store(&mut setup, field::CL_MAGIC, &0xa33f_u16.to_le_bytes());
        let offset = places.cmdline - places.setup;
        store(&mut setup, field::CL_OFFSET, &(offset as u16).to_le_bytes());
    }
    if let Some(mode) = video_mode(&text)? {
        store(&mut setup, field::VID_MODE, &mode.to_le_bytes());
    }
    if version >= 0x200 {
        setup[field::TYPE_OF_LOADER] = QEMU;
    }
    if version >= 0x201 {
        setup[field::LOADFLAGS] |= CAN_USE_HEAP;
        let heap_end = places.cmdline - places.setup - 0x200;
        store(&mut setup, field::HEAP_END_PTR, &(heap_end as u16).to_le_bytes());
    }
    if let Some(initrd) = given.initrd {
        let size = u32::try_from(cx.file_size(initrd)).map_err(|_| "file initrd: too large")?;
        let address = initrd_address(config, version, &setup, size)?;
        store(&mut setup, field::RAMDISK_IMAGE, &address.to_le_bytes());
        store(&mut setup, field::RAMDISK_SIZE, &size.to_le_bytes());
        entries.set_u32(key::INITRD_ADDR, address);
        entries.set_u32(key::INITRD_SIZE, size);
        entries.set(key::INITRD_DATA, Content::File { file: initrd, offset: 0, size });
    }

    entries.set_u32(key::CMDLINE_ADDR, places.cmdline);
    entries.set_u32(key::CMDLINE_SIZE, cmdline.len() as u32);
    entries.set_bytes(key::CMDLINE_DATA, cmdline);
    let rest = size - setup_size;
    entries.set_u32(key::KERNEL_ADDR, places.kernel);
    entries.set_u32(key::KERNEL_SIZE, rest);
    let content = Content::File { file: kernel, offset: setup_size.into(), size: rest };
    entries.set(key::KERNEL_DATA, content);
    entries.set_u32(key::SETUP_ADDR, places.setup);
    entries.set_u32(key::SETUP_SIZE, setup_size);
    entries.set_bytes(key::SETUP_DATA, setup);
    Ok(())
}

/// Old kernels expect their parts where LILO put them.
fn places(version: u16, loadflags: u8, cmdline: u32) -> Places {
    let is_high = version >= 0x200 && loadflags & LOADED_HIGH != 0;
    if is_high && version >= 0x202 {
        return Places { setup: 0x1_0000, cmdline: 0x2_0000, kernel: 0x10_0000 };
    }
    let room = (cmdline.saturating_sub(1).saturating_add(16) & !15).min(0x9a00);
    let kernel = if is_high { 0x10_0000 } else { 0x1_0000 };
    Places { setup: 0x9_0000, cmdline: 0x9_a000 - room, kernel }
}

/// At the end of what the kernel can reach, with room for ACPI's tables behind.
fn initrd_address(config: &Config, version: u16, setup: &[u8], size: u32) -> Result<u32, String> {
    if version < 0x200 {
        return Err("file initrd: the kernel is too old for it".into());
    }
    let mut most = if version >= 0x20c && setup[field::XLOADFLAGS] & CAN_BE_LOADED_ABOVE_4G != 0 {
        u32::MAX
    } else if version >= 0x203 {
        let most = setup.get(field::INITRD_ADDR_MAX..).and_then(|bytes| bytes.first_chunk());
        most.map_or(USUAL_INITRD_MAX, |bytes| u32::from_le_bytes(*bytes))
    } else {
        USUAL_INITRD_MAX
    };
    let end = config.ram.below_4g.saturating_sub(config.acpi_data_size);
    if u64::from(most) >= end {
        most = u32::try_from(end.saturating_sub(1)).unwrap_or(u32::MAX);
    }
    if size >= most {
        return Err(format!("file initrd: {size} bytes, expected less than {most}"));
    }
    Ok((most - size) & !0xfff)
}

/// What the command line says of the video mode.
fn video_mode(cmdline: &str) -> Result<Option<u16>, String> {
    let Some((_, mode)) = cmdline.split_once("vga=") else { return Ok(None) };
    for (name, mode_number) in [("normal", 0xffff), ("ext", 0xfffe), ("ask", 0xfffd)] {
        if mode.starts_with(name) {
            return Ok(Some(mode_number));
        }
    }
    let digits = mode.split(' ').next().unwrap_or_default();
    let number = if let Some(digits) = digits.strip_prefix("0x") {
        u32::from_str_radix(digits, 16)
    } else if let Some(digits) = digits.strip_prefix('0').filter(|digits| !digits.is_empty()) {
        u32::from_str_radix(digits, 8)
    } else {
        digits.parse()
    };
    match number {
        Ok(number) => Ok(Some(number as u16)),
        Err(_) => Err(format!("file cmdline: vga={digits}, expected a number or a mode's name")),
    }
}

fn store(setup: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = setup.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

/// A part of a file; zeros beyond its end.
fn read(cx: &mut Context<'_>, file: u32, offset: u64, length: u32) -> Vec<u8> {
    let words = (0..length.div_ceil(8)).map(|word| offset + 8 * u64::from(word));
    let mut bytes: Vec<u8> = words.flat_map(|at| cx.file_load(file, at, 8).to_le_bytes()).collect();
    bytes.truncate(length as usize);
    bytes
}
