//! Devices that are replaced while firmware and boot loader use them.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::boots::{TIME, told};
use super::compare::Machine;
use super::images::disk;
use super::run::{Program, Started, no_kvm};

/// Slots, and what is plugged into them again.
const DEVICES: [(&str, &str); 5] = [
    ("rtc", "mc146818rtc"),
    ("ide", "piix3-ide"),
    ("serial0", "serial"),
    ("fw-cfg", "fw-cfg"),
    ("pm", "piix4-pm"),
];

/// How often each is replaced: some seconds of GRUB's reading from the disk.
const ROUNDS: usize = 20;

fn replace(started: &mut Started) {
    started.wait_for("Booting from Hard Disk...");
    for _ in 0..ROUNDS {
        for (slot, component) in DEVICES {
            let arguments = json!({"slot": slot, "component": component});
            let replaced = started.monitor().execute_with("__org.southbridge_swap", arguments);
            assert_eq!(replaced["state-moved"], json!(true), "{slot}: {replaced}");
        }
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn grub_does_not_notice_that_its_devices_are_replaced() {
    if no_kvm() {
        return;
    }
    let ours = Machine::new().disk(disk::with_grub()).with(TIME).runs_alike(|started| {
        if started.program() == Program::Southbridge {
            replace(started);
        }
    });
    told(&ours);
}
