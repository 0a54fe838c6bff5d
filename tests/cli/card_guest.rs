//! The guest's driver for the card of `examples/sector-card`: a kernel without a format, in
//! 32-bit protected mode.

use iced_x86::code_asm::{
    CodeAssembler, CodeLabel, al, ax, ds, dword_ptr, eax, esp, fword_ptr, ptr, ss, word_ptr,
};

use crate::guest::{Assembled, CODE, assemble, configure8, configure32, exit, out8};

/// The status that the driver ends the machine with if it has found everything right.
pub(crate) const RIGHT: u8 = 33;
/// And if not.
const WRONG: u8 = 35;

/// What it says then.
pub(crate) const SAYS: &str = "srwno\n";

/// Slot 5.
const DEVFN: u8 = 5 << 3;

/// Where the driver puts the card's registers.
const CARD: u32 = 0xfebf_0000;

const SECTOR: u32 = CARD;
const ADDRESS: u32 = CARD + 0x04;
const COUNT: u32 = CARD + 0x08;
const COMMAND: u32 = CARD + 0x0c;
const STATUS: u32 = CARD + 0x10;
const SECTORS: u32 = CARD + 0x14;

const DONE: u32 = 2;
const FAILED: u32 = 4;

/// Slot 5's INTA# is PIRQA, which the driver routes to this interrupt.
const IRQ: u8 = 11;
/// The second controller's first vector.
const VECTORS: u8 = 0x28;

// Where the parts of the driver are in its image.
const HANDLER: u32 = 0x80;
const MAIN: u32 = 0x100;

// The driver's tables and what it remembers.
const SEGMENTS: u32 = 0x9000;
const SEGMENTS_LIMIT: u32 = 0x9100;
const GATES: u32 = 0xa000;
const GATES_LIMIT: u32 = 0x9110;
const STACK: u32 = 0x9000;
/// What the card's status was at the last interrupt; 0 before it.
const SEEN: u32 = 0x9200;

/// Where the interrupted instruction is.
const RETURN: u32 = 0x9204;

/// Inside the window that the card reaches, and outside.
const BUFFER: u32 = 0x20_0000;
const OUTSIDE: u32 = 0x30_0000;

/// The driver: reads two sectors, writes one of them elsewhere, changed, and flushes. What it
/// finds right, it says by a letter on the serial port: the size, a read, a write, a sector
/// that is not there, memory outside the window.
pub(crate) fn driver() -> Vec<u8> {
    let parts = [
        (0, assemble(32, CODE, enter)),
        (HANDLER, assemble(32, CODE + HANDLER, handle)),
        (MAIN, assemble(32, CODE + MAIN, drive)),
    ];
    let mut image = Vec::new();
    for (at, code) in parts {
        assert!(image.len() <= at as usize, "the parts overlap at {at:#x}");
        image.resize(at as usize, 0);
        image.extend(code);
    }
    image
}

/// Takes segments of 4 GiB from a table of the driver's own, which interrupts need.
fn enter(a: &mut CodeAssembler) -> Assembled {
    let words = [0, 0, 0x0000_ffff, 0x00cf_9b00, 0x0000_ffff, 0x00cf_9300];
    for (number, word) in (0..).zip(words) {
        a.mov(dword_ptr(SEGMENTS + 4 * number), word)?;
    }
    a.mov(word_ptr(SEGMENTS_LIMIT), 4 * words.len() as i32 - 1)?;
    a.mov(dword_ptr(SEGMENTS_LIMIT + 2), SEGMENTS)?;
    a.lgdt(fword_ptr(SEGMENTS_LIMIT))?;
    a.jmp_far(8, CODE + MAIN)
}

/// Notes the card's status, and acknowledges the interrupt.
fn handle(a: &mut CodeAssembler) -> Assembled {
    a.pushad()?;
    a.mov(eax, dword_ptr(STATUS))?;
    a.mov(dword_ptr(SEEN), eax)?;
    a.mov(dword_ptr(STATUS), DONE)?;
    out8(a, 0xa0, 0x20)?;
    out8(a, 0x20, 0x20)?;
    a.popad()?;
    // `iretd`, which KVM does not emulate in protected mode where it has to.
    a.pop(dword_ptr(RETURN))?;
    a.add(esp, 4)?;
    a.popfd()?;
    a.jmp(dword_ptr(RETURN))
}

fn drive(a: &mut CodeAssembler) -> Assembled {
    let mut wrong = a.create_label();
    a.mov(ax, 0x10)?;
    a.mov(ds, ax)?;
    a.mov(ss, ax)?;
    a.mov(esp, STACK)?;
    gate(a)?;
    interrupts(a)?;
    // Base address register 0; the card answers in memory, as a bus master.
    configure32(a, DEVFN, 0x10, CARD)?;
    configure32(a, DEVFN, 0x04, 0x06)?;

    expect(a, SECTORS, 16, wrong)?;
    out8(a, 0x3f8, b's')?;
    command(a, [2, BUFFER, 2, 1], DONE, wrong)?;
    expect(a, BUFFER, 0x0202_0202, wrong)?;
    expect(a, BUFFER + 0x3fc, 0x0303_0303, wrong)?;
    expect(a, BUFFER + 0x400, 0, wrong)?;
    out8(a, 0x3f8, b'r')?;
    a.mov(al, 0x77)?;
    a.mov(ptr(BUFFER), al)?;
    command(a, [9, BUFFER, 1, 2], DONE, wrong)?;
    out8(a, 0x3f8, b'w')?;
    // There is no sector 16.
    command(a, [16, BUFFER, 1, 1], DONE | FAILED, wrong)?;
    out8(a, 0x3f8, b'n')?;
    // What the card is not granted it neither changes nor sees.
    a.mov(dword_ptr(OUTSIDE), 0x1234_5678)?;
    command(a, [3, OUTSIDE, 1, 1], DONE, wrong)?;
    expect(a, OUTSIDE, 0x1234_5678, wrong)?;
    command(a, [10, OUTSIDE, 1, 2], DONE, wrong)?;
    out8(a, 0x3f8, b'o')?;
    command(a, [0, 0, 0, 3], DONE, wrong)?;
    out8(a, 0x3f8, b'\n')?;
    exit(a, RIGHT >> 1)?;

    a.set_label(&mut wrong)?;
    out8(a, 0x3f8, b'\n')?;
    exit(a, WRONG >> 1)
}

/// An interrupt gate for the card's interrupt.
fn gate(a: &mut CodeAssembler) -> Assembled {
    let entry = GATES + 8 * u32::from(VECTORS + IRQ - 8);
    let handler = CODE + HANDLER;
    a.mov(dword_ptr(entry), 0x0008_0000 | handler & 0xffff)?;
    a.mov(dword_ptr(entry + 4), handler & 0xffff_0000 | 0x8e00)?;
    a.mov(word_ptr(GATES_LIMIT), 0x7ff)?;
    a.mov(dword_ptr(GATES_LIMIT + 2), GATES)?;
    a.lidt(fword_ptr(GATES_LIMIT))
}

/// PIRQA leads to the interrupt, which is the only one that the controllers let through.
fn interrupts(a: &mut CodeAssembler) -> Assembled {
    // The ISA bridge's route for PIRQA.
    configure8(a, 0x08, 0x60, IRQ)?;
    for (port, value) in [
        // Vectors, cascade, 8086 mode, masks; level-triggered.
        (0x20, 0x11),
        (0x21, VECTORS - 8),
        (0x21, 4),
        (0x21, 1),
        (0xa0, 0x11),
        (0xa1, VECTORS),
        (0xa1, 2),
        (0xa1, 1),
        (0x21, !(1 << 2)),
        (0xa1, !(1 << (IRQ - 8))),
        (0x4d1, 1 << (IRQ - 8)),
    ] {
        out8(a, port, value)?;
    }
    Ok(())
}

/// Gives the card sector, address, count and command, and waits for its interrupt.
fn command(a: &mut CodeAssembler, words: [u32; 4], status: u32, wrong: CodeLabel) -> Assembled {
    a.mov(dword_ptr(SEEN), 0)?;
    for (register, word) in [SECTOR, ADDRESS, COUNT, COMMAND].into_iter().zip(words) {
        a.mov(dword_ptr(register), word)?;
    }
    let (mut wait, mut seen) = (a.create_label(), a.create_label());
    a.set_label(&mut wait)?;
    // The instruction after `sti` is carried out before any interrupt.
    a.cli()?;
    a.cmp(dword_ptr(SEEN), 0)?;
    a.jne(seen)?;
    a.sti()?;
    a.hlt()?;
    a.jmp(wait)?;
    a.set_label(&mut seen)?;
    expect(a, SEEN, status, wrong)
}

/// What must be in memory.
fn expect(a: &mut CodeAssembler, address: u32, value: u32, wrong: CodeLabel) -> Assembled {
    a.mov(eax, dword_ptr(address))?;
    a.cmp(eax, value)?;
    a.jne(wrong)
}
