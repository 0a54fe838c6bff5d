//! The PIIX4's power management: its ports, the PM timer and the SCI.
//!
//! Registers as in the 82371AB data sheet, section 7; what QEMU does where that matters to a
//! guest is said at the place.

use super::asm::{Emitted, Guest};
use super::vars::Var;
use super::{cpu, pci};
use iced_x86::code_asm::{eax, ebx, ecx, edx};

/// Where the PM ports go: where SeaBIOS puts them too.
const BASE: u16 = 0x600;
/// PM1_STS, PM1_EN and PM1_CNT, 16 bits each.
const STATUS: u16 = BASE;
pub(super) const ENABLE: u16 = BASE + 2;
pub(super) const CONTROL: u16 = BASE + 4;
/// PM_TMR, 24 bits.
const TIMER: u16 = BASE + 8;

/// PM1_STS: the timer overflowed; PM1_EN: tell so by an SCI.
const TIMER_BIT: u16 = 1 << 0;
/// PM1_CNT: events raise the SCI (and not an SMI).
const SCI_ENABLED: u16 = 1 << 0;
/// PM1_CNT: enter the sleep state in bits 10 to 12. State 0 is soft off.
const SLEEP: u16 = 1 << 13;

/// The SCI's line at the 8259s. It is wired so; the interrupt line register only says it.
pub(super) const SCI_LINE: u8 = 9;

/// Writing the first to the APM control port sets [`SCI_ENABLED`]: what a firmware's ACPI tables
/// tell an operating system to do.
pub(super) const APM_CONTROL: u16 = 0xb2;
pub(super) const APM_ACPI_ENABLE: u8 = 0xf1;

/// One second of the PM timer.
pub(super) const SECOND: u32 = 3_579_545;

/// Configuration registers with the values [`enable`] gives them: the byte's offset, its value.
pub(super) const CONFIGURATION: [(&str, u8, u8); 4] = [
    ("PMBASE, low byte", 0x40, (BASE & 0xff) as u8 | 1),
    ("PMBASE, high byte", 0x41, (BASE >> 8) as u8),
    ("PMREGMISC", 0x80, 1),
    ("interrupt line", 0x3c, SCI_LINE),
];

/// Gives the function its ports and lets events raise the SCI.
pub(super) fn enable(g: &mut Guest) -> Emitted {
    g.line(|g| {
        g.say("PIIX4 power management at I/O port ")?;
        g.mov(eax, u32::from(BASE))?;
        g.say_hex(4)?;
        g.mov(ebx, Var::PmFunction.word())?;
        const COMMAND: u8 = 0x04;
        pci::write_word(g, COMMAND, 1)?;
        for (name, offset, value) in CONFIGURATION {
            pci::write_byte(g, offset, value)?;
            pci::read_byte(g, offset)?;
            g.check(name, u32::from(value))?;
        }
        g.outb(APM_CONTROL, APM_ACPI_ENABLE)?;
        g.inw(CONTROL)?;
        g.check("PM1_CNT after ACPI enable", u32::from(SCI_ENABLED))?;
        g.outw(CONTROL, SCI_ENABLED)?;
        g.outw(ENABLE, 0)
    })
}

/// Reads the timer twice and starts the extended count ([`Var::Ticks`]) from there.
pub(super) fn see_timer_move(g: &mut Guest) -> Emitted {
    g.line(|g| {
        g.inl(TIMER)?;
        g.mov(Var::TimerLast.word(), eax)?;
        g.mov(Var::Ticks.word(), eax)?;
        g.push(eax)?;
        g.say("PM timer moves, from ")?;
        g.pop(eax)?;
        g.say_hex(6)?;
        g.say(" to ")?;
        g.run(g.routines.read_timer)?;
        g.mov(ebx, eax)?;
        g.say_hex(6)?;
        let moved = g.create_label();
        g.inl(TIMER)?;
        g.cmp(eax, ebx)?;
        g.jne(moved)?;
        g.mov(ecx, ebx)?;
        g.inc(ecx)?;
        g.check_equal("PM timer")?;
        g.place(moved)
    })
}

/// Waits for the overflow (bit 23 changes every 2.34 s) with the processor halted, then provokes
/// a second SCI from the same overflow. TMR_STS stays set: the watch goes on provoking.
pub(super) fn take_sci(g: &mut Guest) -> Emitted {
    g.line(|g| {
        let (wait, taken) = (g.create_label(), g.create_label());
        g.say("SCI from the PM timer's overflow")?;
        cpu::start_tick(g)?;
        arm_overflow(g)?;
        g.mov(eax, Var::Ticks.word())?;
        g.mov(Var::WaitStart.word(), eax)?;

        g.place(wait)?;
        g.cli()?;
        g.cmp(Var::Interrupts.word(), 0)?;
        g.jne(taken)?;
        g.sti()?;
        g.hlt()?;
        g.run(g.routines.read_timer)?;
        g.sub(eax, Var::WaitStart.word())?;
        g.cmp(eax, 3 * SECOND)?;
        g.jb(wait)?;

        g.place(taken)?;
        g.sti()?;
        cpu::stop_tick(g)?;
        g.mov(eax, Var::Interrupts.word())?;
        g.mov(Var::Expected.word(), eax)?;
        g.check("SCIs within 3 s", 1)?;
        g.mov(eax, Var::SciStatus.word())?;
        g.and(eax, u32::from(TIMER_BIT))?;
        g.check("PM1_STS at the SCI, TMR_STS", u32::from(TIMER_BIT))?;
        g.say(" at tick ")?;
        g.run(g.routines.read_timer)?;
        g.mov(ebx, eax)?;
        g.say_hex(8)?;
        g.mov(eax, ebx)?;
        g.shr(eax, 23)?;
        g.mov(ecx, Var::ArmedFor.word())?;
        g.shr(ecx, 23)?;
        g.check_equal("PM timer's half periods at the SCI")?;
        g.mov(Var::Armed.word(), 0)?;
        g.mov(Var::Overflows.word(), 1)?;
        g.run(g.routines.provoke_sci)?;
        g.say(", and one provoked")
    })
}

/// The SCI's handler: lowers the line by PM1_EN and leaves TMR_STS as it is.
pub(super) fn on_sci(g: &mut Guest) -> Emitted {
    g.inw(STATUS)?;
    g.mov(Var::SciStatus.word(), eax)?;
    g.outw(ENABLE, 0)?;
    g.inc(Var::Interrupts.word())
}

/// Clears TMR_STS and has the next overflow raise the SCI. (QEMU has TMR_STS set from reset on,
/// until it is cleared for the first time.)
///
/// The device works out the next overflow from the count at which TMR_STS is cleared. So that
/// both sides mean the same overflow, no change of bit 23 may lie between the readings around the
/// clearing; if one does, it is done again.
pub(super) fn arm_overflow(g: &mut Guest) -> Emitted {
    const HALF_PERIOD: u32 = 1 << 23;
    let again = g.create_label();
    g.push(ebx)?;
    g.place(again)?;
    g.run(g.routines.read_timer)?;
    g.mov(ebx, eax)?;
    g.outw(STATUS, TIMER_BIT)?;
    g.inw(STATUS)?;
    g.push(eax)?;
    g.run(g.routines.read_timer)?;
    g.mov(edx, eax)?;
    g.pop(eax)?;
    g.xor(ebx, edx)?;
    g.cmp(ebx, HALF_PERIOD)?;
    g.jae(again)?;
    g.or(edx, HALF_PERIOD - 1)?;
    g.inc(edx)?;
    g.mov(Var::ArmedFor.word(), edx)?;
    g.mov(Var::Armed.word(), 1)?;
    g.and(eax, u32::from(TIMER_BIT))?;
    g.check("TMR_STS after it was cleared", 0)?;
    g.pop(ebx)?;
    g.outw(ENABLE, TIMER_BIT)
}

/// Powers the machine off.
pub(super) fn power_off(g: &mut Guest) -> Emitted {
    g.outw(CONTROL, SCI_ENABLED | SLEEP)
}

/// The subroutines.
pub(super) fn routines(g: &mut Guest) -> Emitted {
    read_timer(g)?;
    provoke_sci(g)
}

/// Extends the timer: adds how far it went since the last reading, which is less than half its
/// range unless it went back.
fn read_timer(g: &mut Guest) -> Emitted {
    let forward = g.create_label();
    g.place(g.routines.read_timer)?;
    g.inl(TIMER)?;
    g.mov(edx, eax)?;
    g.mov(ecx, Var::TimerLast.word())?;
    g.mov(Var::TimerLast.word(), eax)?;
    g.sub(edx, ecx)?;
    g.shl(edx, 8)?;
    g.sar(edx, 8)?;
    g.add(Var::Ticks.word(), edx)?;
    g.test(edx, edx)?;
    g.jns(forward)?;
    g.check_equal("PM timer went back")?;
    g.place(forward)?;
    g.mov(eax, Var::Ticks.word())?;
    g.ret()
}

/// An overflow that was not cleared raises the SCI again each time TMR_EN is set: the only way to
/// have a PIIX4 raise it on demand, as no event status can be set by writing. The line must reach
/// the processor within a second.
fn provoke_sci(g: &mut Guest) -> Emitted {
    let (wait, taken) = (g.create_label(), g.create_label());
    g.place(g.routines.provoke_sci)?;
    g.mov(eax, Var::Ticks.word())?;
    g.mov(Var::WaitStart.word(), eax)?;
    g.inc(Var::Expected.word())?;
    g.outw(ENABLE, TIMER_BIT)?;
    g.place(wait)?;
    g.mov(eax, Var::Interrupts.word())?;
    g.cmp(eax, Var::Expected.word())?;
    g.jae(taken)?;
    g.run(g.routines.read_timer)?;
    g.sub(eax, Var::WaitStart.word())?;
    g.cmp(eax, SECOND)?;
    g.jb(wait)?;
    g.outw(ENABLE, 0)?;
    g.place(taken)?;
    g.mov(eax, Var::Interrupts.word())?;
    g.mov(ecx, Var::Expected.word())?;
    g.mov(Var::Expected.word(), eax)?;
    g.inc(Var::Provoked.word())?;
    g.check_equal("SCIs after one was provoked")?;
    g.ret()
}
