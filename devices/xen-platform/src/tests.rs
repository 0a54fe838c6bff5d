//! The device alone. The host bridge's `tests/board` holds it against QEMU.

use proptest::prelude::*;
use southbridge_sdk::fake::{Action, Bench, Effect};
use southbridge_sdk::wit::Scope;

use crate::XenPlatform;

/// The device with base address register 0 at port 0xc000.
fn placed() -> Bench<XenPlatform> {
    let mut bench = Bench::<XenPlatform>::new();
    bench.configuration_write(0x10, 4, 0xc000);
    bench.configuration_write(0x04, 2, 1);
    bench.fake.take();
    bench
}

fn logged(bench: &mut Bench<XenPlatform>) -> Vec<String> {
    let text = |effect| match effect {
        Effect::Log(text) => Some(text),
        _ => None,
    };
    bench.fake.take().into_iter().filter_map(text).collect()
}

#[test]
fn the_fixed_ports_depend_on_the_width() {
    let mut bench = Bench::<XenPlatform>::new();
    assert_eq!(bench.port_in(0x10, 2), 0x49d2);
    assert_eq!(bench.port_in(0x12, 1), 1);
    assert_eq!(bench.port_in(0x10, 1), 0);
    assert_eq!(bench.port_in(0x10, 4), 0xffff_ffff);
    for (port, size, ones) in [(0x11, 1, 0xff), (0x12, 2, 0xffff), (0x1f, 4, 0xffff_ffff)] {
        assert_eq!(bench.port_in(port, size), ones, "{port:#x}");
    }
    // The build number does not touch the flags.
    bench.port_out(0x10, 4, 0xffff_ffff);
    assert_eq!(bench.port_in(0x10, 1), 0);
}

#[test]
fn of_the_flags_only_the_rom_lock_is_kept() {
    let mut bench = placed();
    bench.port_out(0x10, 1, 0xff);
    assert_eq!(bench.port_in(0x10, 1), 1);
    assert_eq!(bench.port_in(0xc000, 4), 0xffff_ff01);
    bench.port_out(0xc000, 1, 0xfe);
    assert_eq!(bench.port_in(0x10, 1), 0);
    bench.port_out(0x10, 1, 1);
    bench.reset();
    assert_eq!(bench.port_in(0x10, 1), 0);
}

#[test]
fn requests_to_unplug_are_told() {
    let mut bench = placed();
    bench.port_out(0x10, 2, 0x000f);
    let all =
        "the guest asks to unplug IDE and SCSI disks, network cards, NVMe disks: there are none";
    assert_eq!(logged(&mut bench), [all]);
    bench.port_out(0x10, 2, 4);
    assert_eq!(
        logged(&mut bench),
        ["the guest asks to unplug IDE disks but the first: there are none"]
    );
    bench.port_out(0x10, 2, 0xfff0);
    assert_eq!(logged(&mut bench), [] as [String; 0]);
    bench.port_out(0xc004, 1, 1);
    bench.port_out(0xc008, 1, 1);
    bench.port_out(0xc008, 1, 2);
    bench.port_out(0xc004, 1, 2);
    let told = logged(&mut bench);
    assert_eq!(told.len(), 3);
    assert!(told[0].contains("disks, network cards") && !told[1].contains("cards"), "{told:?}");
    assert!(told[2].contains("unplug network cards"), "{told:?}");
    assert!(bench.fake.streams.is_empty());
}

#[test]
fn the_log_goes_out_line_by_line() {
    let mut bench = placed();
    for byte in *b"one" {
        bench.port_out(0x12, 1, byte.into());
    }
    assert!(bench.fake.streams.is_empty());
    bench.port_out(0xc008, 1, b'!'.into());
    bench.port_out(0x12, 1, b'\n'.into());
    assert_eq!(bench.fake.streams[&0], b"one!\n");
    // QEMU loses the byte for which there is no room.
    for byte in (0..4097).map(|index| b'a' + (index % 26) as u8) {
        bench.port_out(0x12, 1, byte.into());
    }
    bench.port_out(0x12, 1, b'\n'.into());
    let sent = &bench.fake.streams[&0][5..];
    assert_eq!(sent.len(), 4095 + 1 + 1 + 1);
    let last = b'a' + (4096 % 26) as u8;
    assert_eq!(sent[4095..], [b'\n', last, b'\n']);
}

#[test]
fn base_addresses_place_the_regions() {
    let mut bench = Bench::<XenPlatform>::new();
    // Not enabled: QEMU's 3 at creation does not survive the first reset.
    assert_eq!(bench.configuration_read(0x04, 4), 0);
    bench.configuration_write(0x10, 4, 0xffff_ffff);
    bench.configuration_write(0x14, 4, 0xffff_ffff);
    assert_eq!(bench.configuration_read(0x10, 4), 0xffff_ff01);
    assert_eq!(bench.configuration_read(0x14, 4), 0xff00_0008);
    bench.configuration_write(0x10, 4, 0xc000);
    bench.configuration_write(0x14, 4, 0xf200_0000);
    assert!(!bench.fake.mappings.contains_key(&2));
    bench.configuration_write(0x04, 2, 3);
    assert_eq!(bench.fake.mappings[&2], (0xc000, 1));
    assert_eq!(bench.fake.mappings[&3], (0xf200_0000, 1));
    bench.write(3, 0x1000, 4, 0x1234);
    assert_eq!(bench.read(3, 0x1000, 4), 0);
    bench.reset();
    assert!(!bench.fake.mappings.contains_key(&2) && !bench.fake.mappings.contains_key(&3));
    assert_eq!(bench.configuration_read(0x3c, 2), 0x0100);
}

#[test]
fn loaded_flags_are_written_as_a_guest_does() {
    let mut saved = Bench::<XenPlatform>::new().save(Scope::Stream);
    saved[0].data[276] = 0xff;
    let mut bench = Bench::<XenPlatform>::configured(&[]);
    bench.load(Scope::Stream, saved).expect("QEMU takes any flags");
    assert_eq!(bench.port_in(0x10, 1), 1);
}

#[test]
fn a_log_that_is_too_long_is_refused() {
    let mut saved = Bench::<XenPlatform>::new().save(Scope::Whole);
    let length = saved[0].data.len();
    saved[0].data[length - 2] = 0x10;
    let refusal = Bench::<XenPlatform>::configured(&[]).load(Scope::Whole, saved);
    let refusal = refusal.expect_err("there is no room");
    assert_eq!(refusal.field, "log_buffer_off");
    assert_eq!(refusal.reason, "4096 found, at most 4095 expected");
}

fn action() -> impl Strategy<Value = Action> {
    let size = || prop_oneof![Just(1_u8), Just(2), Just(4)];
    let port = || prop_oneof![0x10..0x20_u16, 0xc000..0xc010_u16];
    prop_oneof![
        2 => Just(Action::Configure(0x10, 4, 0xc000)),
        2 => (0..4_u32).prop_map(|command| Action::Configure(4, 2, command)),
        2 => (0..0x100_u16, size(), any::<u32>())
            .prop_map(|(at, size, value)| Action::Configure(at, size, value)),
        6 => (port(), size(), any::<u32>())
            .prop_map(|(port, size, value)| Action::Out(port, size, value.into())),
        4 => (port(), size()).prop_map(|(port, size)| Action::In(port, size)),
        1 => Just(Action::Reset),
    ]
}

proptest! {
    #[test]
    fn a_successor_goes_on_as_the_device_would(
        before in prop::collection::vec(action(), 0..40),
        after in prop::collection::vec(action(), 0..40),
    ) {
        let mut old = Bench::<XenPlatform>::new();
        for action in &before {
            old.perform(action);
        }
        let mut new = old.successor(&[]);
        old.fake.streams.clear();
        old.assert_goes_on(&mut new, &after, Bench::perform);
        prop_assert_eq!(&old.fake.streams, &new.fake.streams);
        old.successor(&[]);
    }
}
