//! COM1: strings and numbers out, and the report of a failed check.

use super::asm::{Emitted, Guest};
use super::vars::Var;
use iced_x86::code_asm::{al, byte_ptr, dl, dx, eax, ebx, ecx, edi, edx, esi, esp};

/// COM1's base, the receiver and transmitter buffer (16550A data sheet).
pub(super) const DATA: u16 = 0x3f8;
/// COM1's line status.
pub(super) const LINE_STATUS: u16 = DATA + 5;
/// Line status: a byte has been received.
pub(super) const DATA_READY: u32 = 1 << 0;
/// Line status: the transmitter takes another byte.
const TRANSMITTER_EMPTY: u32 = 1 << 5;

/// After this many, failed checks are counted but no longer printed.
pub(super) const REPORTS: u32 = 8;

/// Programs COM1 for 115200 baud, 8N1, FIFOs on, no interrupts: no firmware need have run.
pub(super) fn set_up(g: &mut Guest) -> Emitted {
    const DIVISOR_ACCESS: u8 = 0x80;
    const EIGHT_N_ONE: u8 = 0x03;
    for (offset, value) in
        [(1, 0), (3, DIVISOR_ACCESS), (0, 1), (1, 0), (3, EIGHT_N_ONE), (2, 0x07), (4, 0x03)]
    {
        g.outb(DATA + offset, value)?;
    }
    Ok(())
}

/// The console's subroutines.
pub(super) fn routines(g: &mut Guest) -> Emitted {
    print(g)?;
    print_hex(g)?;
    print_decimal(g)?;
    fail(g)
}

fn print(g: &mut Guest) -> Emitted {
    let (next, wait, done) = (g.create_label(), g.create_label(), g.create_label());
    g.place(g.routines.print)?;
    g.place(next)?;
    g.movzx(ecx, byte_ptr(esi))?;
    g.inc(esi)?;
    g.test(ecx, ecx)?;
    g.jz(done)?;
    g.place(wait)?;
    g.inb(LINE_STATUS)?;
    g.test(eax, TRANSMITTER_EMPTY)?;
    g.jz(wait)?;
    g.mov(eax, ecx)?;
    g.mov(edx, u32::from(DATA))?;
    g.out(dx, al)?;
    g.jmp(next)?;
    g.place(done)?;
    g.ret()
}

/// Builds the digits on the stack, last one first, and prints from there.
fn print_number(g: &mut Guest, digits: impl FnOnce(&mut Guest) -> Emitted) -> Emitted {
    const ROOM: u32 = 12;
    g.push(edi)?;
    g.sub(esp, ROOM)?;
    g.lea(edi, esp + (ROOM - 1))?;
    g.mov(byte_ptr(edi), 0)?;
    digits(g)?;
    g.mov(esi, edi)?;
    g.run(g.routines.print)?;
    g.add(esp, ROOM)?;
    g.pop(edi)?;
    g.ret()
}

fn print_hex(g: &mut Guest) -> Emitted {
    g.place(g.routines.print_hex)?;
    print_number(g, |g| {
        let (next, decimal) = (g.create_label(), g.create_label());
        g.place(next)?;
        g.mov(edx, eax)?;
        g.and(edx, 0xf)?;
        g.add(edx, u32::from(b'0'))?;
        g.cmp(edx, u32::from(b'9'))?;
        g.jbe(decimal)?;
        g.add(edx, u32::from(b'a' - b'9' - 1))?;
        g.place(decimal)?;
        g.dec(edi)?;
        g.mov(byte_ptr(edi), dl)?;
        g.shr(eax, 4)?;
        g.loop_(next)
    })
}

fn print_decimal(g: &mut Guest) -> Emitted {
    g.place(g.routines.print_decimal)?;
    print_number(g, |g| {
        let next = g.create_label();
        g.mov(ecx, 10)?;
        g.place(next)?;
        g.xor(edx, edx)?;
        g.div(ecx)?;
        g.add(edx, u32::from(b'0'))?;
        g.dec(edi)?;
        g.mov(byte_ptr(edi), dl)?;
        g.test(eax, eax)?;
        g.jnz(next)
    })
}

/// Counts a failed check and prints it, as ` FAILED what: expected 0x…, got 0x…`.
fn fail(g: &mut Guest) -> Emitted {
    let silent = g.create_label();
    g.place(g.routines.fail)?;
    g.inc(Var::Errors.word())?;
    g.cmp(Var::Errors.word(), REPORTS)?;
    g.ja(silent)?;
    g.push(ebx)?;
    g.push(eax)?;
    g.push(ecx)?;
    g.mov(ebx, esi)?;
    g.say(" FAILED ")?;
    g.mov(esi, ebx)?;
    g.run(g.routines.print)?;
    for words in [": expected 0x", ", got 0x"] {
        g.say(words)?;
        g.pop(eax)?;
        g.say_hex(8)?;
    }
    g.pop(ebx)?;
    g.place(silent)?;
    g.ret()
}
