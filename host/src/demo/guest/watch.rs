//! The watch: what the guest does while its devices are replaced under it.
//!
//! Every turn checks that
//!
//! * the PM timer did not go back: from the last reading it went forward by less than half its
//!   range;
//! * the registers of power management, APM, GPE, SMBus controller and PCI configuration hold what
//!   was written to them;
//! * no interrupt was lost, doubled or made up. Every turn provokes one SCI and finds exactly one
//!   taken; except that for the last 0.29 s before each overflow of the timer it arms that overflow
//!   instead, and finds exactly one taken, not before the overflow and at most a second after it.
//!
//! Every 16th turn also reads the EEPROM over SMBus.

use super::asm::{Emitted, Guest};
use super::vars::Var;
use super::{console, pci, pm, smbus};
use iced_x86::code_asm::{CodeLabel, eax, ebx, ecx};

/// The debug console, on which the guest says that the watch begins.
pub const DEBUG_CONSOLE_PORT: u16 = 0x402;
/// What it says there.
pub const READY: u8 = b'R';
/// What it waits for on COM1 to end the watch.
pub const STOP: u8 = b'Q';

/// A turn whose number is a multiple of this reads the EEPROM.
const EEPROM_TURNS: u32 = 16;

/// Ticks into a period of 2^23 after which the period's end is armed.
const ARM_AT: u32 = 0x70_0000;

const APM_STATUS: u16 = 0xb3;
const GPE_ENABLE: u16 = 0xafe2;

/// Byte registers and what they hold. None has an effect when written but APM control, which is
/// left with what [`pm::enable`] wrote.
const HELD: [(&str, u16, u8); 3] = [
    ("APM control", pm::APM_CONTROL, pm::APM_ACPI_ENABLE),
    ("APM status", APM_STATUS, 0x69),
    ("GPE0 enable", GPE_ENABLE, 0x5a),
];

/// Watches until told to stop.
pub(super) fn watch(g: &mut Guest) -> Emitted {
    let turn = g.create_label();
    g.line(|g| {
        g.say("ready for devices to be replaced")?;
        for (_, port, value) in &HELD[1..] {
            g.outb(*port, *value)?;
        }
        Ok(())
    })?;
    g.mov(ebx, Var::PmFunction.word())?;
    g.outb(DEBUG_CONSOLE_PORT, READY)?;

    g.place(turn)?;
    g.mov(eax, Var::Errors.word())?;
    g.mov(Var::LineErrors.word(), eax)?;
    // With interrupts off, so that an overflow's SCI is not taken between its settling and the
    // check of PM1_EN, which the handler changes.
    g.cli()?;
    g.run(g.routines.settle)?;
    g.inw(pm::ENABLE)?;
    g.mov(ecx, Var::Armed.word())?;
    g.check_equal("PM1_EN")?;
    g.sti()?;
    check_registers(g)?;
    interrupt(g)?;
    now_and_then_read_eeprom(g)?;
    end_report(g)?;
    g.inc(Var::Turns.word())?;
    again_unless_stopped(g, turn)?;

    g.cli()?;
    g.run(g.routines.settle)?;
    g.outw(pm::ENABLE, 0)?;
    g.mov(eax, Var::Interrupts.word())?;
    g.mov(ecx, Var::Provoked.word())?;
    g.add(ecx, Var::Overflows.word())?;
    g.check_equal("SCIs in all")?;
    end_report(g)
}

fn check_registers(g: &mut Guest) -> Emitted {
    g.inw(pm::CONTROL)?;
    g.check("PM1_CNT", 1)?;
    for (name, port, value) in HELD.into_iter().chain(smbus::PATTERN) {
        g.inb(port)?;
        g.check(name, u32::from(value))?;
    }
    for (name, offset, value) in pm::CONFIGURATION {
        pci::read_byte(g, offset)?;
        g.check(name, u32::from(value))?;
    }
    Ok(())
}

/// Unless an overflow is awaited: provokes an SCI, or arms the overflow if it is near.
fn interrupt(g: &mut Guest) -> Emitted {
    let (far, done) = (g.create_label(), g.create_label());
    g.cmp(Var::Armed.word(), 0)?;
    g.jne(done)?;
    g.mov(eax, Var::Ticks.word())?;
    g.and(eax, 0x7f_ffff)?;
    g.cmp(eax, ARM_AT)?;
    g.jb(far)?;
    pm::arm_overflow(g)?;
    g.jmp(done)?;
    g.place(far)?;
    g.run(g.routines.provoke_sci)?;
    g.place(done)
}

fn now_and_then_read_eeprom(g: &mut Guest) -> Emitted {
    let not_now = g.create_label();
    g.test(Var::Turns.word(), EEPROM_TURNS - 1)?;
    g.jnz(not_now)?;
    smbus::read_again(g)?;
    g.place(not_now)
}

/// Ends the line of a turn that had something to report.
fn end_report(g: &mut Guest) -> Emitted {
    let silent = g.create_label();
    g.mov(eax, Var::LineErrors.word())?;
    g.cmp(eax, Var::Errors.word())?;
    g.je(silent)?;
    g.cmp(eax, console::REPORTS)?;
    g.jae(silent)?;
    g.say("\n")?;
    g.place(silent)
}

fn again_unless_stopped(g: &mut Guest, turn: CodeLabel) -> Emitted {
    g.inb(console::LINE_STATUS)?;
    g.test(eax, console::DATA_READY)?;
    g.jz(turn)?;
    g.inb(console::DATA)?;
    g.cmp(eax, u32::from(STOP))?;
    g.jne(turn)
}

/// Reads the timer and accounts for an SCI that came since the last turn: the armed overflow's,
/// or one that nothing should have raised. To be called with interrupts off.
pub(super) fn settle(g: &mut Guest) -> Emitted {
    let (none, made_up, done) = (g.create_label(), g.create_label(), g.create_label());
    g.place(g.routines.settle)?;
    g.run(g.routines.read_timer)?;
    g.mov(eax, Var::Interrupts.word())?;
    g.mov(ecx, Var::Expected.word())?;
    g.mov(Var::Expected.word(), eax)?;
    g.cmp(eax, ecx)?;
    g.je(none)?;
    g.cmp(Var::Armed.word(), 0)?;
    g.je(made_up)?;

    g.inc(ecx)?;
    g.inc(Var::Overflows.word())?;
    g.mov(Var::Armed.word(), 0)?;
    g.check_equal("SCIs after an overflow")?;
    g.mov(eax, Var::Ticks.word())?;
    g.mov(ecx, Var::ArmedFor.word())?;
    g.sub(eax, ecx)?;
    g.jns(done)?;
    g.add(eax, ecx)?;
    g.check_equal("SCI before its overflow, tick")?;
    g.jmp(done)?;

    g.place(made_up)?;
    g.check_equal("SCIs, one unasked for")?;
    g.jmp(done)?;

    g.place(none)?;
    g.cmp(Var::Armed.word(), 0)?;
    g.je(done)?;
    g.mov(eax, Var::Ticks.word())?;
    g.mov(ecx, Var::ArmedFor.word())?;
    g.sub(eax, ecx)?;
    g.cmp(eax, pm::SECOND as i32)?;
    g.jl(done)?;
    g.add(eax, ecx)?;
    g.check_equal("SCI of an overflow lost, tick")?;
    g.mov(Var::Armed.word(), 0)?;
    g.outw(pm::ENABLE, 0)?;
    g.place(done)?;
    g.ret()
}
