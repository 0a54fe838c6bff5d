//! Further processors, started through the local APIC as systems do it.

use iced_x86::code_asm::*;

use super::compare::Machine;
use super::images::sector::{self, LOADED, PM};
use super::run::no_kvm;

/// Where the boot sector has the code of the processors, and where they start,
/// which must be at the beginning of a page.
const CODE: u16 = LOADED + 0x150;
const STARTED: u16 = 0x8000;

/// Where the processors count, and set the bit of their APIC's number.
const COUNT: u32 = 0x600;
const NUMBERS: u32 = 0x604;

/// The lower half of the interrupt command register, and what it is told, for
/// all but the own processor: INIT, and start at [`STARTED`].
const COMMAND: u32 = 0xfee0_0300;
const INIT: u32 = 0x000c_4500;
const START: u32 = 0x000c_4600 | (STARTED >> 12) as u32;

/// Waits until `done` sets the zero flag, or for so many ticks of the power
/// management timer, of 24 bits. Changes `eax`, `ebx` and `dx`.
fn wait(
    a: &mut CodeAssembler,
    ticks: u32,
    done: impl FnOnce(&mut CodeAssembler) -> sector::Assembled,
) -> sector::Assembled {
    let (mut again, mut over) = (a.create_label(), a.create_label());
    a.mov(dx, u32::from(PM + 8))?;
    a.in_(eax, dx)?;
    a.mov(ebx, eax)?;
    a.set_label(&mut again)?;
    done(a)?;
    a.je(over)?;
    a.in_(eax, dx)?;
    a.sub(eax, ebx)?;
    a.and(eax, 0xff_ffff)?;
    a.cmp(eax, ticks)?;
    a.jb(again)?;
    a.set_label(&mut over)?;
    // A label is of an instruction.
    a.nop()
}

fn start(further: u32, numbers: &str) {
    if no_kvm() {
        return;
    }
    let code = sector::assemble(16, STARTED, |a| {
        a.xor(ax, ax)?;
        a.mov(ds, ax)?;
        a.mov(eax, 1)?;
        a.cpuid()?;
        a.shr(ebx, 24)?;
        a.mov(cl, bl)?;
        a.mov(eax, 1)?;
        a.shl(eax, cl)?;
        a.lock().or(dword_ptr(NUMBERS), eax)?;
        a.lock().inc(dword_ptr(COUNT))?;
        sector::stop(a)
    });
    let size = code.len() as u32;
    let image = sector::flat((CODE, code), |a| {
        a.mov(esi, u32::from(CODE))?;
        a.mov(edi, u32::from(STARTED))?;
        a.mov(ecx, size)?;
        a.cld()?;
        a.rep().movsb()?;
        a.mov(dword_ptr(COUNT), 0)?;
        a.mov(dword_ptr(NUMBERS), 0)?;
        a.mov(dword_ptr(COMMAND), INIT)?;
        // 10 ms.
        wait(a, 35_795, |a| a.cmp(dword_ptr(COUNT), 1))?;
        a.mov(dword_ptr(COMMAND), START)?;
        // 4 s.
        wait(a, 14_318_180, |a| a.cmp(dword_ptr(COUNT), further as i32))?;
        sector::print(a, "started ")?;
        a.mov(ebx, dword_ptr(COUNT))?;
        sector::print_digit(a)?;
        sector::print(a, ": ")?;
        a.mov(ebx, dword_ptr(NUMBERS))?;
        sector::print_digit(a)?;
        sector::print(a, "\n")?;
        sector::power_off(a)
    });
    let all = (further + 1).to_string();
    let ours = Machine::new().disk(image).with(&["-smp", &all]).runs_alike(|_| ());
    ours.said(&format!("started {further}: {numbers}\n"));
}

#[test]
fn a_second_processor_starts() {
    start(1, "2");
}

#[test]
fn three_further_processors_start() {
    start(3, "e");
}
