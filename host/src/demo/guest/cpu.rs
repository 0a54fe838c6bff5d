//! The processor and its interrupts: descriptor tables, the 8259 pair, the 8254's tick.

use super::asm::{Emitted, Guest};
use super::layout::{IDT, MEMORY_END, VARIABLES};
use super::pm;
use super::vars::Var;
use iced_x86::code_asm::{
    cx, ds, dword_ptr, eax, ecx, edi, edx, es, esi, esp, fs, fword_ptr, gs, ss, word_ptr,
};

/// The 8259s' command ports.
const MASTER: u16 = 0x20;
const SLAVE: u16 = 0xa0;
/// Masks that let through only the SCI (slave pin 1, through master pin 2), or the tick as well.
const ONLY_SCI: u8 = !(1 << 2);
const SCI_AND_TICK: u8 = ONLY_SCI & !(1 << 0);

/// Vector of IRQ 0, with that of IRQ 8 eight further on: above the processor's 32 exceptions.
const IRQ_VECTORS: u32 = 0x20;
const VECTORS: u32 = IRQ_VECTORS + 16;

/// Selectors of the segments.
const CODE: u32 = 0x08;
const DATA: u32 = 0x10;

/// What runs first: a stack, zeroed variables, segments, interrupts.
pub(super) fn set_up(g: &mut Guest) -> Emitted {
    g.cli()?;
    g.cld()?;
    g.mov(esp, MEMORY_END)?;
    load_segments(g)?;
    g.xor(eax, eax)?;
    g.mov(edi, VARIABLES)?;
    g.mov(ecx, Var::COUNT)?;
    g.rep().stosd()?;
    fill_idt(g)?;
    program_pics(g)?;
    wire_pics_through(g)?;
    g.sti()
}

/// Loads a descriptor table register with `size` bytes at `esi`.
fn load_table(g: &mut Guest, size: u32, load: impl FnOnce(&mut Guest) -> Emitted) -> Emitted {
    g.sub(esp, 8)?;
    g.mov(word_ptr(esp), size - 1)?;
    g.mov(dword_ptr(esp + 2), esi)?;
    load(g)?;
    g.add(esp, 8)
}

/// Descriptors of our own: a multiboot loader leaves its table undefined, selectors included.
fn load_segments(g: &mut Guest) -> Emitted {
    const FLAT_CODE: u64 = 0x00cf_9b00_0000_ffff;
    const FLAT_DATA: u64 = 0x00cf_9300_0000_ffff;
    g.embed(|g| g.dq(&[0, FLAT_CODE, FLAT_DATA]))?;
    load_table(g, 3 * 8, |g| g.lgdt(fword_ptr(esp)))?;

    // A near call and a far return: the way to load CS without knowing one's own address.
    let (far_return, in_new_segment) = (g.create_label(), g.create_label());
    g.push(CODE)?;
    g.call(far_return)?;
    g.jmp(in_new_segment)?;
    g.place(far_return)?;
    g.retf()?;
    g.place(in_new_segment)?;

    g.mov(ecx, DATA)?;
    for segment in [ds, es, fs, gs, ss] {
        g.mov(segment, cx)?;
    }
    Ok(())
}

fn fill_idt(g: &mut Guest) -> Emitted {
    g.embed(exception)?;
    gates(g, 0, IRQ_VECTORS)?;
    g.embed(|g| interrupt(g, spurious))?;
    gates(g, IRQ_VECTORS, 16)?;
    g.embed(|g| interrupt(g, |g| g.outb(MASTER, END_OF_INTERRUPT)))?;
    gates(g, IRQ_VECTORS, 1)?;
    g.embed(|g| {
        interrupt(g, |g| {
            pm::on_sci(g)?;
            g.outb(SLAVE, END_OF_INTERRUPT)?;
            g.outb(MASTER, END_OF_INTERRUPT)
        })
    })?;
    gates(g, IRQ_VECTORS + u32::from(pm::SCI_LINE), 1)?;
    g.mov(esi, IDT)?;
    load_table(g, VECTORS * 8, |g| g.lidt(fword_ptr(esp)))
}

/// Makes `count` vectors from `first` on 32-bit interrupt gates to the handler at `esi`.
fn gates(g: &mut Guest, first: u32, count: u32) -> Emitted {
    const PRESENT_INTERRUPT_GATE: u32 = 0x8e00;
    let next = g.create_label();
    g.mov(edi, IDT + first * 8)?;
    g.mov(ecx, count)?;
    g.mov(edx, esi)?;
    g.and(edx, 0xffff_0000u32)?;
    g.or(edx, PRESENT_INTERRUPT_GATE)?;
    g.and(esi, 0xffff)?;
    g.or(esi, CODE << 16)?;
    g.place(next)?;
    g.mov(dword_ptr(edi), esi)?;
    g.mov(dword_ptr(edi + 4), edx)?;
    g.add(edi, 8)?;
    g.loop_(next)
}

const END_OF_INTERRUPT: u8 = 0x20;

/// A handler that runs `body` and returns to what it interrupted.
///
/// It returns without IRET, with the same effect on every processor: the flags are popped, and
/// the far return that follows STI (which takes effect one instruction later) drops them from the
/// frame along with EIP and CS. KVM's instruction emulator has no IRET for protected mode, and it
/// executes a guest on hosts that give KVM no hardware to run one.
fn interrupt(g: &mut Guest, body: impl FnOnce(&mut Guest) -> Emitted) -> Emitted {
    const INTERRUPT_FLAG: u32 = 1 << 9;
    g.pushad()?;
    body(g)?;
    g.popad()?;
    g.push(dword_ptr(esp + 8))?;
    g.and(dword_ptr(esp), !INTERRUPT_FLAG)?;
    g.popfd()?;
    g.sti()?;
    g.retf_1(4)
}

/// Any exception: reported, and the end.
fn exception(g: &mut Guest) -> Emitted {
    g.mov(eax, dword_ptr(esp))?;
    g.check("exception, first word of its frame", 0)?;
    g.say("\n")?;
    g.go_to(g.routines.finish)
}

/// An interrupt that no device here raises. The 8259s make one up (IRQ 7 or 15) when a line falls
/// again before the processor took its interrupt; they expect no end of interrupt for it.
fn spurious(g: &mut Guest) -> Emitted {
    g.mov(eax, 1)?;
    g.check("interrupts whose line fell too early", 0)
}

/// Initialises the 8259 pair (8259A data sheet, initialisation command words 1 to 4), edge
/// triggered except for the SCI, which ACPI wants level triggered (82371AB data sheet, ELCR2).
fn program_pics(g: &mut Guest) -> Emitted {
    const ELCR_SLAVE: u16 = 0x4d1;
    let slave_vectors = IRQ_VECTORS as u8 + 8;
    for (port, value) in [
        (MASTER, 0x11),
        (MASTER + 1, IRQ_VECTORS as u8),
        (MASTER + 1, 1 << 2),
        (MASTER + 1, 0x01),
        (SLAVE, 0x11),
        (SLAVE + 1, slave_vectors),
        (SLAVE + 1, 2),
        (SLAVE + 1, 0x01),
        (MASTER + 1, ONLY_SCI),
        (SLAVE + 1, !(1 << (pm::SCI_LINE - 8))),
        (ELCR_SLAVE, 1 << (pm::SCI_LINE - 8)),
    ] {
        g.outb(port, value)?;
    }
    Ok(())
}

/// Lets the local APIC pass the 8259s' interrupts on, as a firmware would (MultiProcessor
/// Specification 1.4, section 3.6.2.2: virtual wire mode): after a reset it masks its inputs. On a
/// processor without a local APIC the writes go nowhere.
fn wire_pics_through(g: &mut Guest) -> Emitted {
    const LOCAL_APIC: u32 = 0xfee0_0000;
    const SPURIOUS_VECTOR: u32 = LOCAL_APIC + 0xf0;
    const SOFTWARE_ENABLED: u32 = 1 << 8;
    const LINT0: u32 = LOCAL_APIC + 0x350;
    const EXTERNAL_INTERRUPT: u32 = 7 << 8;
    g.mov(dword_ptr(SPURIOUS_VECTOR), SOFTWARE_ENABLED | (VECTORS - 1))?;
    g.mov(dword_ptr(LINT0), EXTERNAL_INTERRUPT)
}

/// Starts the 8254's tick, 18.2 times a second, so that a HLT ends even if the SCI it waits for
/// is lost.
pub(super) fn start_tick(g: &mut Guest) -> Emitted {
    const RATE_GENERATOR: u8 = 0x34;
    for (port, value) in [(0x43, RATE_GENERATOR), (0x40, 0), (0x40, 0), (MASTER + 1, SCI_AND_TICK)]
    {
        g.outb(port, value)?;
    }
    Ok(())
}

/// Lets the tick no longer through.
pub(super) fn stop_tick(g: &mut Guest) -> Emitted {
    g.outb(MASTER + 1, ONLY_SCI)
}

/// Masks all interrupts and halts for good.
pub(super) fn halt(g: &mut Guest) -> Emitted {
    let forever = g.create_label();
    g.place(forever)?;
    g.cli()?;
    g.hlt()?;
    g.jmp(forever)
}
