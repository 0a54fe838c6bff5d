//! Sleep in S3, ended by the real-time clock's alarm.

use iced_x86::code_asm::*;

use super::compare::Machine;
use super::images::sector::{self, LOADED, PM};
use super::run::no_kvm;

/// Where the code is that runs after the sleep: the firmware enters it in real
/// mode with the upper bits in `cs`.
const AWAKE: u16 = LOADED + 0x150;

/// Puts the address of [`AWAKE`] where firmware looks for it, the FACS, which
/// the FADT tells of, which the RSDT tells of, which the RSDP tells of (ACPI
/// 1.0b, 5.2). What is missing stops it.
fn set_waking_vector(a: &mut CodeAssembler) -> sector::Assembled {
    let (mut look, mut next, mut found) = (a.create_label(), a.create_label(), a.create_label());
    let (mut entry, mut table, mut missing) =
        (a.create_label(), a.create_label(), a.create_label());
    a.mov(esi, 0xf_0000)?;
    a.set_label(&mut look)?;
    a.cmp(dword_ptr(esi), u32::from_le_bytes(*b"RSD "))?;
    a.jne(next)?;
    a.cmp(dword_ptr(esi + 4), u32::from_le_bytes(*b"PTR "))?;
    a.je(found)?;
    a.set_label(&mut next)?;
    a.add(esi, 16)?;
    a.cmp(esi, 0x10_0000)?;
    a.jb(look)?;
    a.set_label(&mut missing)?;
    sector::print(a, "none\n")?;
    sector::stop(a)?;
    a.set_label(&mut found)?;
    a.mov(ebx, dword_ptr(esi + 16))?;
    a.mov(ecx, dword_ptr(ebx + 4))?;
    a.sub(ecx, 36)?;
    a.shr(ecx, 2)?;
    a.set_label(&mut entry)?;
    a.mov(edx, dword_ptr(ebx + 36))?;
    a.cmp(dword_ptr(edx), u32::from_le_bytes(*b"FACP"))?;
    a.je(table)?;
    a.add(ebx, 4)?;
    a.dec(ecx)?;
    a.jnz(entry)?;
    a.jmp(missing)?;
    a.set_label(&mut table)?;
    a.mov(edx, dword_ptr(edx + 36))?;
    a.mov(dword_ptr(edx + 12), u32::from(AWAKE))
}

/// Has the clock's alarm go off each second.
fn set_alarm(a: &mut CodeAssembler) -> sector::Assembled {
    // Any second, minute and hour.
    for register in [0x01, 0x03, 0x05] {
        sector::cmos(a, register, 0xff)?;
    }
    // AIE, in BCD and 24 hours.
    sector::cmos(a, 0x0b, 0x22)?;
    // An alarm before has no edge.
    sector::out8(a, 0x70, 0x0c)?;
    a.mov(dx, 0x71)?;
    a.in_(al, dx)
}

#[test]
fn the_alarm_wakes_a_machine_from_s3() {
    if no_kvm() {
        return;
    }
    let awake = sector::assemble(16, AWAKE, |a| {
        sector::print(a, "awake by ")?;
        // The upper byte of PM1_STS.
        a.mov(dx, u32::from(PM))?;
        a.in_(ax, dx)?;
        a.mov(bx, ax)?;
        a.shr(bx, 12)?;
        a.mov(cl, ah)?;
        sector::print_digit(a)?;
        a.mov(bl, cl)?;
        sector::print_digit(a)?;
        sector::print(a, "\n")?;
        sector::power_off(a)
    });
    let image = sector::flat((AWAKE, awake), |a| {
        set_waking_vector(a)?;
        set_alarm(a)?;
        // RTC_EN.
        sector::out16(a, PM + 2, 0x0400)?;
        sector::print(a, "asleep\n")?;
        // S3 is SLP_TYP 1.
        sector::out16(a, PM + 4, 0x2400)?;
        sector::stop(a)
    });
    let ours = Machine::new().disk(image).runs_alike(|_| ());
    ours.said("asleep\n");
    // WAK_STS and RTC_STS.
    ours.said("awake by 84\n");
}
