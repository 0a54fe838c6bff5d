//! The Xen platform device, which a machine may have or not (Xen's
//! `docs/misc/hvm-emulated-unplug.pandoc` says what its fixed ports answer).

use super::asm::{Emitted, Guest};
use super::vars::Var;
use iced_x86::code_asm::{eax, ebx};

/// Reads the magic and the protocol version.
pub(super) fn read_magic(g: &mut Guest) -> Emitted {
    const MAGIC_PORT: u16 = 0x10;
    const VERSION_PORT: u16 = 0x12;
    let (absent, done) = (g.create_label(), g.create_label());
    g.line(|g| {
        g.say("xen-platform: ")?;
        g.mov(ebx, Var::XenFunction.word())?;
        g.test(ebx, ebx)?;
        g.jz(absent)?;
        g.inw(MAGIC_PORT)?;
        g.mov(ebx, eax)?;
        g.say("magic ")?;
        g.mov(eax, ebx)?;
        g.say_hex(4)?;
        g.mov(eax, ebx)?;
        g.check("magic", 0x49d2)?;
        g.inb(VERSION_PORT)?;
        g.check("protocol version", 1)?;
        g.jmp(done)?;
        g.place(absent)?;
        g.say("absent")?;
        g.place(done)
    })
}
