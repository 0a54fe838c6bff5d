//! A guest that reads a disk by bus-master DMA, 1 MiB with each request.

use iced_x86::code_asm::*;

use crate::images::disk::SECTOR;
use crate::images::sector::{self, Assembled, LOADED, out8, print};

/// How many requests there are between the two marks.
pub(crate) const REQUESTS: u32 = 64;

/// Bytes of a request.
pub(crate) const REQUEST: u32 = 1 << 20;

/// What is sent to the debug console before the first request and after the last.
pub(crate) const MARKS: [&str; 2] = ["\x01", "\x02"];

/// Where the regions to read to are listed, and where the first of them begins.
const LIST: u32 = 0x8000;
const BUFFER: u32 = 0x10_0000;

/// The largest region.
const REGION: u32 = 0x1_0000;

/// The IDE function's registers for PCI commands and for the ports of its bus
/// master, 00:01.1.
const COMMAND: u32 = 0x8000_0904;
const BUS_MASTER: u32 = 0x8000_0920;

/// The disk, all of it data.
pub(crate) fn disk() -> Vec<u8> {
    let rest = (LOADED + 0x1c0, Vec::new());
    let mut disk = sector::flat(rest, |a| {
        list_regions(a)?;
        find_ports(a)?;
        print(a, MARKS[0])?;
        read(a)?;
        print(a, MARKS[1])?;
        sector::power_off(a)
    });
    let boots = disk.drain(..SECTOR).collect::<Vec<_>>();
    let size = (REQUESTS * REQUEST) as usize;
    let data = (0u32..).flat_map(|word| word.wrapping_mul(0x9e37_79b9).to_le_bytes());
    boots.into_iter().chain(data).take(size).collect()
}

/// The physical region descriptors, the last with the mark of the end.
fn list_regions(a: &mut CodeAssembler) -> Assembled {
    let mut next = a.create_label();
    a.mov(edi, LIST)?;
    a.mov(eax, BUFFER)?;
    a.set_label(&mut next)?;
    a.mov(dword_ptr(edi), eax)?;
    // 0 stands for 64 KiB.
    a.mov(dword_ptr(edi + 4), 0)?;
    a.add(edi, 8)?;
    a.add(eax, REGION as i32)?;
    a.cmp(eax, (BUFFER + REQUEST) as i32)?;
    a.jb(next)?;
    a.mov(byte_ptr(edi - 1), 0x80)
}

/// Lets the function do DMA; `ebp` has its ports then.
fn find_ports(a: &mut CodeAssembler) -> Assembled {
    for (register, value) in [(COMMAND, Some(5)), (BUS_MASTER, None)] {
        a.mov(dx, 0xcf8)?;
        a.mov(eax, register)?;
        a.out(dx, eax)?;
        a.mov(dx, 0xcfc)?;
        match value {
            Some(value) => {
                a.mov(eax, value)?;
                a.out(dx, eax)?;
            }
            None => a.in_(eax, dx)?,
        }
    }
    a.and(eax, 0xfff0)?;
    a.mov(ebp, eax)
}

/// Reads the disk from its begin on.
fn read(a: &mut CodeAssembler) -> Assembled {
    let mut request = a.create_label();
    let mut busy = a.create_label();
    a.xor(esi, esi)?;
    a.set_label(&mut request)?;
    // The list, and what the last request left in the status.
    a.lea(edx, ebp + 4)?;
    a.mov(eax, LIST)?;
    a.out(dx, eax)?;
    a.lea(edx, ebp + 2)?;
    a.mov(al, 6)?;
    a.out(dx, al)?;
    // READ DMA EXT: the higher bytes of count and address, then the lower ones.
    let sectors = REQUEST / SECTOR as u32;
    out8(a, 0x1f6, 0xe0)?;
    out8(a, 0x1f2, (sectors >> 8) as u8)?;
    for port in 0x1f3..=0x1f5 {
        out8(a, port, 0)?;
    }
    out8(a, 0x1f2, sectors as u8)?;
    a.mov(eax, esi)?;
    for port in 0x1f3..=0x1f5 {
        a.mov(dx, port)?;
        a.out(dx, al)?;
        a.shr(eax, 8)?;
    }
    out8(a, 0x1f7, 0x25)?;
    // Start, to memory.
    a.mov(edx, ebp)?;
    a.mov(al, 9)?;
    a.out(dx, al)?;
    a.lea(edx, ebp + 2)?;
    a.set_label(&mut busy)?;
    a.in_(al, dx)?;
    a.test(al, 4)?;
    a.jz(busy)?;
    a.mov(edx, ebp)?;
    a.mov(al, 0)?;
    a.out(dx, al)?;
    a.mov(dx, 0x1f7)?;
    a.in_(al, dx)?;
    a.add(esi, sectors as i32)?;
    a.cmp(esi, (sectors * REQUESTS) as i32)?;
    a.jb(request)
}
