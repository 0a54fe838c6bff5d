//! Boot sectors of our own, assembled here.

use iced_x86::IcedError;
use iced_x86::code_asm::*;

use super::disk::{self, SECTOR};

/// Where firmware loads them.
pub(crate) const LOADED: u16 = 0x7c00;

/// Where code for protected mode is.
const FLAT: u16 = LOADED + 0x40;

/// The segment descriptors: none, code and data of 4 GiB; and what the
/// processor loads to find them.
const DESCRIPTORS: u16 = LOADED + 0x1c8;
const DESCRIPTOR_TABLE: u16 = LOADED + 0x1f0;

/// Where SeaBIOS puts the registers of power management.
pub(crate) const PM: u16 = 0x600;

/// Instructions.
pub(crate) type Assembled = Result<(), IcedError>;

/// Code that is to run at `address`.
pub(crate) fn assemble(
    bits: u32,
    address: u16,
    code: impl FnOnce(&mut CodeAssembler) -> Assembled,
) -> Vec<u8> {
    let mut assembler = CodeAssembler::new(bits).expect("bits are 16 or 32");
    code(&mut assembler).expect("the instructions exist");
    assembler.assemble(address.into()).expect("the code is valid")
}

/// A disk that boots from code at addresses in its first sector.
fn disk(parts: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut sector = vec![0; SECTOR];
    let mut end = 0;
    for (address, code) in parts {
        let at = usize::from(address - LOADED);
        assert!(at >= end, "the parts overlap at {address:#x}, by {:#x}", end - at);
        end = at + code.len();
        sector[at..end].copy_from_slice(code);
    }
    assert!(end <= SECTOR - 2, "there is no room for the signature");
    sector[SECTOR - 2..].copy_from_slice(&[0x55, 0xaa]);
    disk::of(sector)
}

/// A disk whose boot sector runs in real mode.
pub(crate) fn real(code: impl FnOnce(&mut CodeAssembler) -> Assembled) -> Vec<u8> {
    disk(&[(LOADED, assemble(16, LOADED, code))])
}

/// A disk whose boot sector runs in protected mode without interrupts, with
/// segments of 4 GiB, and has other code at another address.
pub(crate) fn flat(
    other: (u16, Vec<u8>),
    code: impl FnOnce(&mut CodeAssembler) -> Assembled,
) -> Vec<u8> {
    let enter = assemble(16, LOADED, |a| {
        a.cli()?;
        a.xor(ax, ax)?;
        a.mov(ds, ax)?;
        a.lgdt(fword_ptr(u32::from(DESCRIPTOR_TABLE)))?;
        a.mov(eax, cr0)?;
        a.or(al, 1)?;
        a.mov(cr0, eax)?;
        a.jmp_far(8, FLAT.into())
    });
    let flat = assemble(32, FLAT, |a| {
        a.mov(ax, 0x10)?;
        a.mov(ds, ax)?;
        a.mov(es, ax)?;
        a.mov(ss, ax)?;
        a.mov(esp, u32::from(LOADED))?;
        code(a)
    });
    let descriptors = [0, 0x00cf_9b00_0000_ffff, 0x00cf_9300_0000_ffffu64];
    let limit = size_of_val(&descriptors) as u16 - 1;
    let table = [limit.to_le_bytes(), DESCRIPTORS.to_le_bytes(), [0; 2]].concat();
    let descriptors = descriptors.map(u64::to_le_bytes).concat();
    let tables = [(DESCRIPTORS, descriptors), (DESCRIPTOR_TABLE, table)];
    let parts = [(LOADED, enter), (FLAT, flat), other];
    disk(&parts.into_iter().chain(tables).collect::<Vec<_>>())
}

/// Writes a byte to a port. Changes `ax` and `dx`.
pub(crate) fn out8(a: &mut CodeAssembler, port: u16, value: u8) -> Assembled {
    a.mov(dx, u32::from(port))?;
    a.mov(al, u32::from(value))?;
    a.out(dx, al)
}

/// Writes 16 bits to a port. Changes `ax` and `dx`.
pub(crate) fn out16(a: &mut CodeAssembler, port: u16, value: u16) -> Assembled {
    a.mov(dx, u32::from(port))?;
    a.mov(ax, u32::from(value))?;
    a.out(dx, ax)
}

/// Writes a byte of the CMOS. Changes `ax` and `dx`.
pub(crate) fn cmos(a: &mut CodeAssembler, register: u8, value: u8) -> Assembled {
    out8(a, 0x70, register)?;
    out8(a, 0x71, value)
}

/// Sends text to the debug console. Changes `al` and `dx`.
pub(crate) fn print(a: &mut CodeAssembler, text: &str) -> Assembled {
    a.mov(dx, 0x402)?;
    for byte in text.bytes() {
        a.mov(al, u32::from(byte))?;
        a.out(dx, al)?;
    }
    Ok(())
}

/// Sends the lower half of `bl` to the debug console as a digit. Changes `al`
/// and `dx`.
pub(crate) fn print_digit(a: &mut CodeAssembler) -> Assembled {
    let mut decimal = a.create_label();
    a.mov(dx, 0x402)?;
    a.mov(al, bl)?;
    a.and(al, 0xf)?;
    a.add(al, u32::from(b'0'))?;
    a.cmp(al, u32::from(b'9'))?;
    a.jbe(decimal)?;
    a.add(al, u32::from(b'a' - b'9' - 1))?;
    a.set_label(&mut decimal)?;
    a.out(dx, al)
}

/// Ends the machine by S5, which is `SLP_TYP` 0.
pub(crate) fn power_off(a: &mut CodeAssembler) -> Assembled {
    out16(a, PM + 4, 0x2000)?;
    stop(a)
}

/// Waits for ever.
pub(crate) fn stop(a: &mut CodeAssembler) -> Assembled {
    let mut again = a.create_label();
    a.cli()?;
    a.set_label(&mut again)?;
    a.hlt()?;
    a.jmp(again)
}
