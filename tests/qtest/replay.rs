//! Recorded conversations with QEMU, word for word.

use std::collections::BTreeMap;

use southbridge::machine::{Backends, Capture, HostDrive, Stream};
use storage::Policy;

use super::scene::{Compared, Scene, medium};
use crate::common::data;

/// The recordings, and the machine types they are of.
const MACHINES: [(&str, &str); 3] = [
    ("qemu-7.2/pc-i440fx-7.2", "pc-i440fx-7.2"),
    ("qemu-7.2/pc-i440fx-3.1", "pc-i440fx-3.1"),
    ("qemu-10.0/pc-i440fx-10.0", "pc-i440fx-10.0"),
];

/// Replays a module's recordings of all machines. Of each at least so many requests must
/// be answered.
fn replay(module: &str, least: usize) {
    for machine in MACHINES {
        let compared = replay_one(machine, module, &Scene::default());
        assert!(compared.requests >= least, "{compared:?}, {least} requests expected");
    }
}

fn replay_one((recording, machine_type): (&str, &str), module: &str, scene: &Scene) -> Compared {
    println!("{recording} {module}");
    let text = data::text(&format!("traces/{recording}/{module}.trace.gz"));
    let compared = scene.replay(machine_type, &text);
    println!("{recording} {module}: {compared:?}");
    compared
}

/// Replays a recording of a device of QEMU 7.2. At least so much must be compared:
/// requests, saved sections, what was done besides.
fn replay_device(module: &str, scene: &Scene, [requests, sections, acts]: [usize; 3]) {
    let compared = replay_one(MACHINES[0], module, scene);
    let enough = compared.requests >= requests && compared.sections >= sections;
    assert!(enough && compared.acts >= acts, "{compared:?}");
}

#[test]
fn power_management() {
    replay("pm", 6_340);
}

#[test]
fn general_purpose_events_and_hot_plug() {
    replay("gpe", 5_165);
}

#[test]
fn smbus() {
    replay("smbus", 34_984);
}

#[test]
fn sleep_states() {
    replay("sleep", 82);
}

#[test]
fn configuration_space_and_ram_windows() {
    replay("pcicfg", 17_917);
}

/// All devices of the ISA bus.
#[test]
fn isa_bus() {
    replay("isa", 14_400);
}

#[test]
fn interrupt_controllers() {
    replay_device("pic", &Scene::default(), [4_900, 0, 0]);
    replay_device("ioapic", &Scene::default(), [11_600, 0, 0]);
}

#[test]
fn interval_timer() {
    replay_device("pit", &Scene::default(), [3_300, 0, 0]);
}

#[test]
fn event_timers() {
    replay_device("hpet", &Scene::default(), [4_500, 120, 0]);
    let changes = "[machine.recorded.device.hpet.properties]\nmsi = true\ntimers = 4";
    let scene = Scene { changes: changes.into(), ..Scene::default() };
    replay_device("hpet-msi", &scene, [1_800, 48, 0]);
}

#[test]
fn dma_controllers() {
    replay_device("dma", &Scene::default(), [4_000, 200, 0]);
}

#[test]
fn keyboard_controller() {
    let scene = Scene { paused: true, pins: Some(&[1, 12]), ..Scene::default() };
    replay_device("ps2", &scene, [7_600, 370, 0]);
    replay_one(MACHINES[1], "ps2", &scene);
}

#[test]
fn keys_and_mouse() {
    replay_device("input", &Scene::default(), [16_000, 170, 3_000]);
}

#[test]
fn serial_port() {
    let said = Capture::new();
    let streams = BTreeMap::from([("serial0".to_owned(), Stream::to(said.clone()))]);
    let backends = Backends::of_streams(streams);
    let pins = Some(&[4][..]);
    let scene = Scene { backends, paused: true, waits: true, pins, said, ..Scene::default() };
    replay_device("serial-input", &scene, [2_500, 160, 450]);
}

#[test]
fn ide_without_drives() {
    let scene = Scene { paused: true, pins: Some(&[14, 15]), ..Scene::default() };
    replay_device("ide", &scene, [4_500, 480, 0]);
}

/// A disk of 20000 sectors, each with its number in every word of 32 bits, and a CD of
/// 700 blocks, each full of a number made of its own.
#[test]
fn ide_with_disk_and_cd() {
    let changes = "[machine.recorded.device.ide.properties]\nkind0 = \"disk\"\nkind2 = \"cdrom\"";
    for module in ["ide-drives-1", "ide-drives-2"] {
        let disk = (0..20_000_u32).flat_map(|sector| sector.to_le_bytes().repeat(128));
        let cd = (0..700_u32)
            .flat_map(|block| block.wrapping_mul(0x9e37_79b1).to_le_bytes().repeat(512));
        let drives = [("ide0", disk.collect(), false), ("ide2", cd.collect(), true)];
        let drives = drives.map(|(name, data, read_only): (&str, Vec<u8>, _)| {
            (name.to_owned(), HostDrive::new(Some(medium(data, read_only)), Policy::default()))
        });
        let backends = Backends { drives: drives.into(), ..Backends::default() };
        let changes = changes.to_owned();
        let pins = Some(&[14, 15][..]);
        let scene =
            Scene { changes, backends, paused: true, waits: true, pins, ..Scene::default() };
        replay_device(module, &scene, [3_200, 15, 0]);
    }
}

/// A floppy of which each sector tells its number.
fn floppy(sectors: u32) -> Vec<u8> {
    let bytes =
        |sector: u32| (0..512).map(move |at| (sector * 31 + at) as u8 ^ (sector >> 8) as u8);
    (0..sectors).flat_map(bytes).collect()
}

/// Floppies of so many sectors in the drives; 0 for an empty one, none for no drive.
fn replay_floppies(module: &str, drives: [Option<u32>; 2]) {
    let kind = |drive: Option<u32>| if drive.is_some() { "auto" } else { "none" };
    let changes = format!(
        "[machine.recorded.device.fdc.properties]\ndrive-type-a = \"{}\"\ndrive-type-b = \"{}\"",
        kind(drives[0]),
        kind(drives[1])
    );
    let put_in = |(number, sectors): (usize, Option<u32>)| {
        let sectors = sectors.filter(|sectors| *sectors > 0);
        let put_in = sectors.map(|sectors| medium(floppy(sectors), false));
        (format!("floppy{number}"), HostDrive::new(put_in, Policy::default()))
    };
    let drives = drives.into_iter().enumerate().map(put_in).collect();
    let backends = Backends { drives, ..Backends::default() };
    let scene = Scene { changes, backends, waits: true, floppy: Some(floppy), ..Scene::default() };
    replay_device(module, &scene, [8_900, 20, 0]);
}

#[test]
fn floppies() {
    replay_floppies("fdc-one", [Some(2880), None]);
    replay_floppies("fdc-two", [Some(2880), Some(1440)]);
    replay_floppies("fdc-mixed", [Some(2400), Some(720)]);
    replay_floppies("fdc-empty", [Some(0), Some(5760)]);
}

#[test]
#[should_panic(
    expected = "line 4: [\"OK 0x00ff\"], expected [\"OK 0x0000\"]\n  1: > outb 0xe0 0x1\n"
)]
fn a_difference_is_shown_with_what_came_before() {
    let text = "> outb 0xe0 0x1\n< OK\n# a remark\n> inb 0xe0\n< OK 0x0000\n";
    Scene::default().replay("pc-i440fx-7.2", text);
}
