//! Resets, each way a system can ask for one.

use iced_x86::code_asm::*;

use super::compare::Machine;
use super::images::sector::{self, LOADED};
use super::run::no_kvm;

/// A register of the CMOS that nothing uses. It is 0 at first.
const BOOTS: u8 = 0x7f;

/// Resets the machine in its first boot, and ends it in the second.
fn twice(
    a: &mut CodeAssembler,
    reset: impl FnOnce(&mut CodeAssembler) -> sector::Assembled,
) -> sector::Assembled {
    let mut again = a.create_label();
    a.cli()?;
    sector::out8(a, 0x70, BOOTS)?;
    a.in_(al, 0x71)?;
    a.mov(bl, al)?;
    a.inc(bl)?;
    a.mov(al, bl)?;
    a.out(0x71, al)?;
    sector::print(a, "boot ")?;
    sector::print_digit(a)?;
    sector::print(a, "\n")?;
    a.cmp(bl, 1)?;
    a.jne(again)?;
    reset(a)?;
    sector::stop(a)?;
    a.set_label(&mut again)?;
    sector::power_off(a)
}

/// Runs a disk to its end with the first reset.
fn ends(disk: Vec<u8>) {
    let ours = Machine::new().disk(disk).with(&["-no-reboot"]).runs_alike(|_| ());
    ours.said("boot 1\n");
    ours.did_not_say("boot 2\n");
}

/// A value for a port that resets the machine.
fn port_ends(port: u16, value: u8) {
    if no_kvm() {
        return;
    }
    ends(sector::real(|a| twice(a, |a| sector::out8(a, port, value))));
}

#[test]
fn the_reset_control_register_ends_a_machine_that_must_not_reboot() {
    port_ends(0xcf9, 0x06);
}

#[test]
fn port_92_ends_a_machine_that_must_not_reboot() {
    port_ends(0x92, 0x01);
}

#[test]
fn the_keyboard_controller_ends_a_machine_that_must_not_reboot() {
    port_ends(0x64, 0xfe);
}

#[test]
fn a_triple_fault_ends_a_machine_that_must_not_reboot() {
    if no_kvm() {
        return;
    }
    // No room for any gate.
    let limit = (LOADED + 0x180, vec![0; 6]);
    ends(sector::flat(limit, |a| {
        twice(a, |a| {
            a.lidt(fword_ptr(u32::from(LOADED + 0x180)))?;
            a.ud2()
        })
    }));
}

#[test]
fn firmware_boots_again_after_a_reset() {
    if no_kvm() {
        return;
    }
    let disk = sector::real(|a| twice(a, |a| sector::out8(a, 0xcf9, 0x06)));
    let ours = Machine::new().disk(disk).runs_alike(|_| ());
    ours.said("boot 1\n");
    ours.said("boot 2\n");
}
