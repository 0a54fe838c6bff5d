//! GRUB, booted from each medium, tells about the machine and ends it.

use super::compare::Machine;
use super::images::{cd, disk, floppy};
use super::normal;
use super::run::{Ended, no_kvm};

/// The time at which the machine starts, so that all of its CMOS compares.
pub(crate) const TIME: &[&str] = &["-rtc", "base=2026-01-02T03:04:05"];

/// Checks that GRUB said all it was to say, and something sensible.
pub(crate) fn told(ours: &Ended) {
    let said = normal::lines(&ours.serial);
    for heading in ["SMBus", "CMOS", "ACPI", "PCI", "memory", "SMBIOS", "off"] {
        assert!(said.iter().any(|line| line == heading), "no {heading}: {ours}");
    }
    assert!(ours.serial.contains("00:01.3 8086:7113 [0680] Unknown Bridge"), "{ours}");
    let at = said.iter().position(|line| line.ends_with("PM timer")).expect("GRUB said it");
    let ticks = said[at + 1].split(' ').map(|text| u32::from_str_radix(text, 16).ok());
    let [Some(first), Some(second)] = ticks.collect::<Vec<_>>()[..] else {
        panic!("no two numbers of ticks: {ours}")
    };
    // The timer has 24 bits. Half a second is much for two readings.
    let between = second.wrapping_sub(first) & 0xff_ffff;
    assert!(first < 1 << 24 && (1..1_789_772).contains(&between), "{first:x} {second:x}");
}

#[test]
fn grub_boots_from_a_disk() {
    if no_kvm() {
        return;
    }
    told(&Machine::new().disk(disk::with_grub()).with(TIME).runs_alike(|_| ()));
}

#[test]
fn grub_boots_from_a_cd() {
    if no_kvm() {
        return;
    }
    let machine = Machine::new().file("cd", cd::with_grub()).with(&[
        "-drive",
        "file=cd,format=raw,if=ide,index=2,media=cdrom",
        "-boot",
        "order=d",
    ]);
    told(&machine.with(TIME).runs_alike(|_| ()));
}

#[test]
fn grub_boots_from_a_floppy_disk() {
    if no_kvm() {
        return;
    }
    let machine = Machine::new()
        .file("floppy", floppy::with_grub())
        .with(&["-drive", "file=floppy,format=raw,if=floppy", "-boot", "order=a"])
        // Where KVM is itself a guest, its own interrupt controllers have lost
        // the drive's interrupt.
        .with(&["-machine", "kernel_irqchip=split"]);
    told(&machine.with(TIME).runs_alike(|_| ()));
}
