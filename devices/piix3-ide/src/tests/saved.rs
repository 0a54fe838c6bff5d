//! The saved state beyond what the recordings have.

use proptest::prelude::*;
use southbridge_sdk::fake::{Action, Bench, Bytes};
use southbridge_sdk::wit::{Scope, Section};

use super::drives::{cd, disk, drives};
use super::mapped;
use crate::Piix3Ide;

fn section(bench: &mut Bench<Piix3Ide>) -> Section {
    bench.save(Scope::Stream).remove(0)
}

#[test]
fn the_section_is_that_of_the_recorded_streams() {
    let mut bench = Bench::<Piix3Ide>::new();
    let saved = section(&mut bench);
    assert_eq!((&*saved.name, saved.version), ("ide", 3));
    // Case `poked` leaves this device alone.
    assert_eq!(saved.data, include_bytes!("../../../../tests/data/sections/reset/ide.bin"));
    assert_eq!(saved.data, include_bytes!("../../../../tests/data/sections/poked/ide.bin"));
}

#[test]
fn the_interrupts_are_not_in_the_stream() {
    let mut bench = mapped();
    bench.port_out(0x1f7, 1, 0xec);
    let saved = section(&mut bench);
    let mut loaded = Bench::<Piix3Ide>::configured(&[]);
    loaded.load(Scope::Stream, vec![saved]).expect("its own state");
    assert!(!loaded.fake.line(0));
    assert_eq!(loaded.port_in(0xc002, 1), 4);
    assert!(bench.successor(&[]).fake.line(0));
}

/// What a drive elsewhere left comes back. A reset unlocks the tray.
#[test]
fn the_state_of_a_drive_elsewhere_is_kept() {
    // An empty CD-ROM drive, as in QEMU's stream of a PC that has one.
    let cdrom = include_bytes!("../../../../tests/data/sections/full/ide.bin").to_vec();
    // A disk that has been identified, a descriptor in use, a locked tray.
    let (bus_master, drive) = (276 + 19, 276 + 2 * 19 + 2 * 2);
    let mut disk = cdrom.clone();
    disk[drive + 7] = 1;
    disk.splice(drive + 8..drive + 8, [0x5a; 512]);
    let sub = |name: &str, data: &[u8]| {
        [&[5, name.len() as u8], name.as_bytes(), &[0, 0, 0, 1], data].concat()
    };
    disk.splice(drive + 540..drive + 540, sub("ide_drive/tray_state", &[0, 1]));
    let current: Vec<u8> = (1..17).collect();
    disk.splice(bus_master..bus_master, sub("ide bmdma_current", &current));
    let unlocked = disk.len() - sub("ide_drive/tray_state", &[0, 1]).len();
    for (length, data) in [(cdrom.len(), cdrom), (unlocked, disk)] {
        let mut bench = Bench::<Piix3Ide>::configured(&[]);
        let saved = Section { name: "ide".into(), version: 3, data: data.clone() };
        bench.load(Scope::Stream, vec![saved]).expect("QEMU's own state");
        assert_eq!(section(&mut bench).data, data);
        bench.port_out(0x3f6, 1, 4);
        let kept = section(&mut bench.successor(&[]));
        assert_eq!(kept.data.len(), length);
    }
}

#[test]
fn an_older_version_of_the_section_reads_alike() {
    let mut saved = section(&mut Bench::new());
    saved.version = 2;
    // QEMU reads the structures inside in their newest version.
    let mut bench = Bench::<Piix3Ide>::configured(&[]);
    bench.load(Scope::Stream, vec![saved]).expect("QEMU loads version 2");
}

#[test]
fn a_command_in_progress_is_refused() {
    let refused = |at: usize, value| {
        let mut saved = section(&mut Bench::new());
        saved.data[at] = value;
        let mut bench = Bench::<Piix3Ide>::configured(&[]);
        let refusal = bench.load(Scope::Stream, vec![saved]).expect_err("it is impossible");
        (refusal.field, refusal.reason)
    };
    // Configuration space, two bus-master halves, two buses, the first drive.
    let drive = 276 + 2 * 19 + 2 * 2;
    let pair = |field: &str, reason: &str| (field.to_owned(), reason.to_owned());
    let reason = "0x58 found, a drive that is neither busy nor moves data expected";
    assert_eq!(refused(drive + 23, 0x58), pair("bus[0].ifs.status", reason));
    assert_eq!(refused(276 + 2 * 19 + 1, 2), pair("bus.unit", "2 found, 0 or 1 expected"));
}

fn action() -> impl Strategy<Value = Action> {
    let size = || prop_oneof![3 => Just(1_u8), 1 => Just(2), 1 => Just(4)];
    let port = || {
        prop_oneof![
            0x1f0..0x1f8_u16,
            0x170..0x178_u16,
            Just(0x3f6),
            Just(0x376),
            0xc000..0xc010_u16
        ]
    };
    prop_oneof![
        1 => (0..0x100_u16, size(), any::<u32>())
            .prop_map(|(at, size, value)| Action::Configure(at, size, value)),
        8 => (port(), size(), any::<u32>())
            .prop_map(|(port, size, value)| Action::Out(port, size, value.into())),
        4 => (port(), size()).prop_map(|(port, size)| Action::In(port, size)),
        1 => Just(Action::Reset),
    ]
}

/// Commands with and without data, mostly of drives that are there.
fn drive_action() -> impl Strategy<Value = Vec<Action>> {
    let base = || prop_oneof![Just(0x1f0_u16), Just(0x170)];
    let commands =
        [0x20, 0x24, 0x25, 0x30, 0x35, 0xa0, 0xa0, 0xa1, 0xb0, 0xc4, 0xc8, 0xca, 0xe7, 0xec];
    let command = prop_oneof![4 => prop::sample::select(commands.to_vec()), 1 => any::<u8>()];
    let packet = prop_oneof![Just(0x28_u64), Just(0x25), Just(0x12), Just(0x03), Just(0x5a)];
    let out = |port, value: u8| Action::Out(port, 1, value.into());
    prop_oneof![
        4 => action().prop_map(|action| vec![action]),
        2 => (base(), 0..3_u8, 0..20_u8, command).prop_map(move |(base, count, sector, command)| vec![
            out(base + 6, 0xe0),
            out(base + 1, 0),
            out(base + 2, count),
            out(base + 3, sector),
            out(base + 4, 0),
            out(base + 5, 8),
            out(base + 7, command),
        ]),
        1 => (base(), packet).prop_map(|(base, packet)| {
            [packet, 0, 0, 0, 1, 0].map(|word| Action::Out(base, 2, word)).to_vec()
        }),
        2 => (base(), 1..300_usize, 1..3_u8).prop_map(|(base, count, size)| {
            vec![Action::In(base, 2 * size); count]
        }),
        1 => (base(), 1..300_usize).prop_map(|(base, count)| {
            vec![Action::Out(base, 2, 0x2828); count]
        }),
    ]
}

fn perform(bench: &mut Bench<Piix3Ide>, actions: &[Vec<Action>]) -> Vec<u64> {
    let mut seen = Vec::new();
    for action in actions.iter().flatten() {
        seen.push(bench.perform(action));
        bench.end_requests();
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_successor_with_drives_goes_on_as_the_device_would(
        before in prop::collection::vec(drive_action(), 0..40),
        after in prop::collection::vec(drive_action(), 0..30),
    ) {
        let machine = || {
            let mut bench = Bench::<Piix3Ide>::configured(&drives());
            bench.insert_disk(0, disk()[..512 * 64].to_vec());
            bench.insert_disk(2, cd()[..2048 * 16].to_vec());
            bench
        };
        let mut old = machine();
        old.reset();
        old.configuration_write(0x20, 4, 0xc000);
        old.configuration_write(0x04, 2, 5);
        old.fake.ram = Bytes { data: vec![0; 0x2_0000] };
        perform(&mut old, &before);
        let mut new = machine();
        new.load(Scope::Whole, old.save(Scope::Whole)).expect("the device's own state");
        prop_assert!(new.save(Scope::Whole)[0].data == old.save(Scope::Whole)[0].data);
        (new.fake.ram, new.fake.media) = (old.fake.ram.clone(), old.fake.media.clone());
        for bench in [&mut old, &mut new] {
            bench.fake.take();
        }
        prop_assert_eq!(perform(&mut old, &after), perform(&mut new, &after));
        prop_assert_eq!(old.fake.take(), new.fake.take());
        prop_assert!(old.fake.media == new.fake.media && old.fake.ram == new.fake.ram);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_successor_goes_on_as_the_device_would(
        before in prop::collection::vec(action(), 0..60),
        after in prop::collection::vec(action(), 0..40),
    ) {
        let mut old = mapped();
        for action in &before {
            old.perform(action);
        }
        let mut new = old.successor(&[]);
        old.assert_goes_on(&mut new, &after, Bench::perform);
    }
}
