//! What firmware boots: nothing, or what the order says.

use serde_json::json;

use super::compare::Machine;
use super::images::sector;
use super::run::{Started, no_kvm};

/// A boot sector that says its name and ends the machine.
fn named(name: &str) -> Vec<u8> {
    sector::real(|a| {
        sector::print(a, "this is ")?;
        sector::print(a, name)?;
        sector::print(a, "\n")?;
        sector::power_off(a)
    })
}

/// A machine with nothing to boot, and these arguments.
fn empty(arguments: &[&str]) {
    if no_kvm() {
        return;
    }
    let ours = Machine::new().with(arguments).runs_alike(|started| {
        started.wait_for("No bootable device.\n");
        started.monitor().execute("quit");
    });
    ours.said("No bootable device.\n");
}

#[test]
fn there_is_nothing_to_boot() {
    empty(&[]);
}

#[test]
fn there_is_nothing_to_boot_without_the_kernels_interrupt_controllers() {
    empty(&["-machine", "kernel_irqchip=off"]);
}

#[test]
fn the_boot_index_decides() {
    if no_kvm() {
        return;
    }
    let machine = Machine::new()
        .file("first", named("the first"))
        .file("second", named("the second"))
        .with(&["-drive", "file=first,format=raw,if=none,id=first"])
        .with(&["-drive", "file=second,format=raw,if=none,id=second"])
        .with(&["-device", "ide-hd,bus=ide.0,drive=first,bootindex=2"])
        .with(&["-device", "ide-hd,bus=ide.1,drive=second,bootindex=1"]);
    machine.runs_alike(|_| ()).said("this is the second\n");
}

/// Presses a key, by QEMU's name of it.
fn press(started: &mut Started, key: &str) {
    let keys = json!({"keys": [{"type": "qcode", "data": key}]});
    started.monitor().execute_with("send-key", keys);
}

#[test]
fn a_person_picks_from_the_boot_menu() {
    if no_kvm() {
        return;
    }
    let machine = Machine::new()
        .disk(named("the first"))
        .disk(named("the second"))
        .with(&["-boot", "menu=on,splash-time=10000"]);
    let ours = machine.runs_alike(|started| {
        started.wait_for("Press ESC for boot menu.");
        press(started, "esc");
        started.wait_for("Select boot device:");
        started.wait_for("2. ");
        press(started, "2");
    });
    ours.said("this is the second\n");
}
