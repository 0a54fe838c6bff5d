//! The end: the summary, and the way out of the machine.

use super::asm::{Emitted, Guest};
use super::vars::Var;
use super::{cpu, pm, summary};
use iced_x86::code_asm::eax;

/// The port of the debug exit device (QEMU's `isa-debug-exit`, at the address its users give it).
pub const DEBUG_EXIT_PORT: u16 = 0xf4;
/// What a guest writes there when no check failed. The device ends QEMU with twice that plus one.
pub const EXIT_CLEAN: u8 = 0x10;
/// What it writes there when one did.
pub const EXIT_ERRORS: u8 = 0x11;

/// Prints the summary and leaves.
pub(super) fn finish(g: &mut Guest) -> Emitted {
    g.place(g.routines.finish)?;
    print_summary(g)?;
    let errors = g.create_label();
    g.cmp(Var::Errors.word(), 0)?;
    g.jne(errors)?;
    exit(g, EXIT_CLEAN)?;
    g.place(errors)?;
    exit(g, EXIT_ERRORS)?;
    pm::power_off(g)?;
    cpu::halt(g)
}

/// Writes `status` to the debug exit port; execution goes on where there is none.
pub(super) fn exit(g: &mut Guest, status: u8) -> Emitted {
    g.outb(DEBUG_EXIT_PORT, status)
}

fn print_summary(g: &mut Guest) -> Emitted {
    g.say(summary::FIRST_WORD)?;
    for (name, variable) in summary::FIELDS {
        g.say(&format!(" {name}="))?;
        g.mov(eax, variable.word())?;
        g.run(g.routines.print_decimal)?;
    }
    g.say("\n")
}
