//! The PVH entry of a kernel (Xen's "x86/HVM direct boot ABI").

use linux_loader::loader::elf::start_info::{
    XEN_HVM_START_MAGIC_VALUE, hvm_memmap_table_entry, hvm_modlist_entry, hvm_start_info,
};
use vm_memory::ByteValued;

use super::firmware::Left;
use super::memory_map::memory_map;
use super::place::Place;
use super::{Entry, Kernel};
use crate::vm::Error;

const NOTE_OWNER: &[u8] = b"Xen\0";
const XEN_ELFNOTE_PHYS32_ENTRY: u32 = 18;

/// The entry point in a list of ELF notes, if one of them gives it. A list that
/// breaks off ends there.
pub(super) fn entry_in_notes(mut notes: &[u8]) -> Option<u32> {
    loop {
        let (header, rest) = notes.split_first_chunk::<12>()?;
        let field = |index: usize| {
            let mut bytes = [0; 4];
            bytes.copy_from_slice(&header[4 * index..][..4]);
            u32::from_le_bytes(bytes)
        };
        let (name_size, size, kind) = (field(0) as usize, field(1) as usize, field(2));
        let padded = |size: usize| size.checked_next_multiple_of(4);
        let name = rest.get(..name_size)?;
        let rest = rest.get(padded(name_size)?..)?;
        let descriptor = rest.get(..size)?;
        if name == NOTE_OWNER && kind == XEN_ELFNOTE_PHYS32_ENTRY {
            // 32-bit kernels have 4 bytes here, 64-bit ones 8, of which the
            // upper half is 0.
            return descriptor.first_chunk().map(|b| u32::from_le_bytes(*b));
        }
        notes = rest.get(padded(size)?..)?;
    }
}

/// Puts the start information into RAM and enters the kernel with its address
/// in EBX.
pub(super) fn enter(
    kernel: &Kernel,
    left: Left,
    place: &mut Place<'_>,
    eip: u32,
) -> Result<Entry, Error> {
    let image = &kernel.image;
    let mut info = hvm_start_info {
        magic: XEN_HVM_START_MAGIC_VALUE,
        version: 1,
        rsdp_paddr: left.root_pointer,
        ..Default::default()
    };
    if let Some(initrd) = &kernel.initrd {
        let what = "the initial RAM disk";
        let module = hvm_modlist_entry {
            paddr: place.put_high(initrd, what, initrd.bytes(), u64::MAX)?.into(),
            size: initrd.len(),
            ..Default::default()
        };
        let list: Vec<u8> = [module.paddr, module.size, module.cmdline_paddr, module.reserved]
            .into_iter()
            .flat_map(u64::to_le_bytes)
            .collect();
        info.nr_modules = 1;
        info.modlist_paddr = place.put_low(image, "the module list", &list)?.into();
    }
    let command_line = [kernel.command_line.as_bytes(), b"\0"].concat();
    info.cmdline_paddr = place.put_low(image, "the command line", &command_line)?.into();
    let map: Vec<hvm_memmap_table_entry> = memory_map(place)
        .iter()
        .map(|range| hvm_memmap_table_entry {
            addr: range.start,
            size: range.length,
            type_: range.kind,
            reserved: 0,
        })
        .collect();
    let bytes: Vec<u8> = map.iter().flat_map(ByteValued::as_slice).copied().collect();
    info.memmap_entries = map.len() as u32;
    info.memmap_paddr = place.put_low(image, "the memory map", &bytes)?.into();
    let start_info = place.put_low(image, "the start information", info.as_slice())?;
    Ok(Entry { rbx: start_info.into(), ..Entry::protected(eip) })
}
