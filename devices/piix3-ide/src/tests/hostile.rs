//! Guests that mean harm, requests that fail, and resets that come in between.

use southbridge_sdk::fake::{Bench, Bytes, Effect, Transfer};
use southbridge_sdk::wit::{Failure, Scope};

use super::drives::{cd, disk, drives};
use crate::Piix3Ide;

/// Where the tests have their descriptors.
const TABLE: u32 = 0x1000;

fn machine() -> Bench<Piix3Ide> {
    let mut bench = Bench::<Piix3Ide>::configured(&drives());
    bench.insert_disk(0, disk());
    bench.insert_disk(2, cd());
    bench.reset();
    bench.fake.ram = Bytes { data: vec![0; 4 << 20] };
    bench.configuration_write(0x20, 4, 0xc000);
    bench.configuration_write(0x04, 2, 5);
    bench.fake.take();
    bench
}

fn outs(bench: &mut Bench<Piix3Ide>, writes: &[(u16, u8)]) {
    writes.iter().for_each(|&(port, byte)| bench.port_out(port, 1, byte.into()));
}

/// Writes a descriptor table and its address.
fn table(bench: &mut Bench<Piix3Ide>, channel: u16, descriptors: &[(u32, u32)]) {
    let bytes: Vec<u8> =
        descriptors.iter().flat_map(|(a, b)| [a.to_le_bytes(), b.to_le_bytes()].concat()).collect();
    bench.fake.ram.write(TABLE.into(), &bytes);
    bench.port_out(0xc004 + 8 * channel, 4, TABLE.into());
}

/// Starts a command of the disk with a 48-bit address.
fn extended(bench: &mut Bench<Piix3Ide>, command: u8, sector: u16, count: u16) {
    let [low, high] = count.to_le_bytes();
    let [sector, cylinder] = sector.to_le_bytes();
    outs(bench, &[(0x1f6, 0xe0), (0x1f2, high), (0x1f3, 0), (0x1f4, 0), (0x1f5, 0)]);
    outs(bench, &[(0x1f2, low), (0x1f3, sector), (0x1f4, cylinder), (0x1f5, 0), (0x1f7, command)]);
}

/// Gives the CD-ROM drive a packet.
fn packet(bench: &mut Bench<Piix3Ide>, features: u8, packet: &[u8]) {
    outs(bench, &[(0x176, 0xa0), (0x171, features), (0x174, 0xff), (0x175, 0xff), (0x177, 0xa0)]);
    let mut whole = [0; 12];
    whole[..packet.len()].copy_from_slice(packet);
    for pair in whole.chunks_exact(2) {
        bench.port_out(0x170, 2, u64::from(pair[0]) | u64::from(pair[1]) << 8);
    }
}

#[test]
fn a_mebibyte_is_one_request() {
    let mut bench = machine();
    // A length of 0 is 64 KiB.
    let descriptors: Vec<_> = (0..16)
        .map(|n| (0x10_0000 + n * 0x1_0000, if n == 15 { 0x8000_0000 } else { 0 }))
        .collect();
    table(&mut bench, 0, &descriptors);
    extended(&mut bench, 0x25, 16, 2048);
    outs(&mut bench, &[(0xc000, 9)]);
    assert_eq!(bench.fake.requests.len(), 1);
    assert_eq!(bench.port_in(0xc002, 1), 1, "active, no interrupt yet");
    assert!(bench.end_request(None));
    assert_eq!(bench.port_in(0xc002, 1), 4);
    assert_eq!(bench.port_in(0x1f7, 1), 0x50);
    assert_eq!(bench.fake.ram.read(0x10_0000, 1 << 20), disk()[16 * 512..][..1 << 20]);
    assert!(!bench.end_request(None));
}

#[test]
fn tables_that_never_end_are_a_page_long() {
    let mut bench = machine();
    // 512 descriptors of two bytes each, none the last one.
    table(&mut bench, 0, &[(0x10_0000, 2); 513]);
    extended(&mut bench, 0x25, 0, 3);
    outs(&mut bench, &[(0xc000, 9)]);
    assert!(bench.fake.requests.is_empty());
    assert_eq!((bench.port_in(0xc002, 1), bench.port_in(0x3f6, 1)), (0, 0x50));
    // 1024 bytes are described; more than one sector needs, so it stays active.
    outs(&mut bench, &[(0xc000, 0)]);
    extended(&mut bench, 0x25, 0, 1);
    outs(&mut bench, &[(0xc000, 9)]);
    bench.end_requests();
    assert_eq!(bench.port_in(0xc002, 1), 5);
}

#[test]
fn tables_and_data_outside_memory() {
    let mut bench = machine();
    bench.port_out(0xc004, 4, 0xf000_0000);
    extended(&mut bench, 0x25, 0, 20_000);
    outs(&mut bench, &[(0xc000, 9)]);
    // As in QEMU, zeros: 64 KiB at address 0, again and again.
    assert_eq!(bench.fake.requests.len(), 1);
    bench.end_request(Some(Failure::Io));
    outs(&mut bench, &[(0xc000, 0)]);
    table(&mut bench, 0, &[(0xffff_ff00, 0x8000_0200)]);
    extended(&mut bench, 0x25, 1, 1);
    outs(&mut bench, &[(0xc000, 9)]);
    bench.end_requests();
    assert_eq!(bench.port_in(0x1f7, 1), 0x50);
    // Without the right to master the bus nothing reaches memory.
    bench.configuration_write(0x04, 2, 1);
    let before = bench.fake.ram.clone();
    outs(&mut bench, &[(0xc000, 0)]);
    extended(&mut bench, 0x25, 1, 1);
    outs(&mut bench, &[(0xc000, 9)]);
    bench.end_requests();
    assert!(bench.fake.ram == before);
}

#[test]
fn a_busy_drive_takes_nothing() {
    let mut bench = machine();
    extended(&mut bench, 0x24, 5, 2);
    assert_eq!(bench.port_in(0x3f6, 1), 0xd0);
    outs(&mut bench, &[(0x1f2, 9), (0x1f6, 0xb0), (0x1f7, 0xec), (0x1f7, 0x08)]);
    assert_eq!(bench.port_in(0x1f0, 4), 0);
    bench.end_requests();
    assert_eq!((bench.port_in(0x1f2, 1), bench.port_in(0x1f6, 1)), (1, 0xe0));
    // The second sector is there without another request; then nothing is.
    for sector in [5, 6] {
        (0..128).for_each(|_| assert_eq!(bench.port_in(0x1f0, 4), sector));
        assert!(bench.fake.requests.is_empty());
    }
    assert_eq!((bench.port_in(0x1f0, 4), bench.port_in(0x1f7, 1)), (0, 0x50));
}

#[test]
fn a_software_reset_waits_for_the_request() {
    let mut bench = machine();
    extended(&mut bench, 0x24, 5, 1);
    outs(&mut bench, &[(0x3f6, 4), (0x3f6, 0)]);
    assert_eq!(bench.port_in(0x3f6, 1) & 0x80, 0x80);
    bench.end_requests();
    assert_eq!((bench.port_in(0x3f6, 1), bench.port_in(0x1f1, 1)), (0x50, 1));
    assert_eq!(bench.port_in(0x1f0, 2), 0, "what was read is dropped");
    // DEVICE RESET of a CD-ROM drive that reads.
    packet(&mut bench, 0, &[0xa8, 0, 0, 0, 0, 5, 0, 0, 0, 9]);
    outs(&mut bench, &[(0x177, 8)]);
    bench.end_requests();
    assert_eq!((bench.port_in(0x177, 1), bench.port_in(0x174, 1)), (0, 0x14));
}

#[test]
fn a_system_reset_makes_requests_stale() {
    let mut bench = machine();
    extended(&mut bench, 0x24, 5, 1);
    bench.reset();
    bench.fake.take();
    bench.end_requests();
    assert_eq!(bench.port_in(0x3f6, 1), 0x50);
    assert_eq!(bench.fake.take(), []);
}

#[test]
fn failures_are_errors() {
    let mut bench = machine();
    extended(&mut bench, 0x24, 5, 2);
    // The sectors are read one at a time then, and the second one is bad.
    bench.end_request(Some(Failure::Io));
    bench.end_request(None);
    (0..256).for_each(|_| assert!(bench.port_in(0x1f0, 2) <= 5));
    bench.end_request(Some(Failure::Io));
    assert_eq!((bench.port_in(0x1f7, 1), bench.port_in(0x1f1, 1)), (0x41, 4));
    table(&mut bench, 0, &[(0x10_0000, 0x8000_0200)]);
    extended(&mut bench, 0x35, 5, 1);
    outs(&mut bench, &[(0xc000, 1)]);
    bench.end_request(Some(Failure::NoSpace));
    assert_eq!((bench.port_in(0x1f7, 1), bench.port_in(0xc002, 1)), (0x41, 4));
    packet(&mut bench, 0, &[0x28, 0, 0, 0, 0, 5, 0, 0, 1]);
    bench.end_request(Some(Failure::Io));
    assert_eq!((bench.port_in(0x177, 1), bench.port_in(0x171, 1)), (0x41, 0x50));
}

#[test]
fn without_a_write_cache_writes_are_flushed() {
    let mut bench = machine();
    outs(&mut bench, &[(0x1f6, 0xe0), (0x1f1, 0x82), (0x1f7, 0xef)]);
    assert!(matches!(bench.fake.requests[0].transfer, Transfer::Flush));
    bench.end_requests();
    extended(&mut bench, 0x34, 5, 1);
    (0..256).for_each(|_| bench.port_out(0x1f0, 2, 0x1234));
    bench.end_request(None);
    assert_eq!(bench.port_in(0x3f6, 1), 0xd0);
    assert!(matches!(bench.fake.requests[0].transfer, Transfer::Flush));
    bench.end_requests();
    assert_eq!(bench.port_in(0x3f6, 1), 0x50);
    assert_eq!(bench.fake.media[&0].read(5 * 512, 2), [0x34, 0x12]);
}

#[test]
fn a_disc_comes_and_goes() {
    let mut bench = machine();
    bench.insert(2, None);
    packet(&mut bench, 0, &[0]);
    assert_eq!(bench.port_in(0x171, 1), 0x20, "not ready");
    bench.insert_disk(2, cd());
    let mut errors = vec![];
    for _ in 0..4 {
        packet(&mut bench, 0, &[0]);
        errors.push(bench.port_in(0x171, 1));
        if errors.last() == Some(&0x60) {
            packet(&mut bench, 0, &[3, 0, 0, 0, 18]);
            (0..9).for_each(|_| _ = bench.port_in(0x170, 2));
        }
    }
    assert_eq!(errors, [0x20, 0x60, 0, 0]);
    bench.fake.take();
    packet(&mut bench, 0, &[0x1e, 0, 0, 0, 1]);
    packet(&mut bench, 0, &[0x1b, 0, 0, 0, 2]);
    packet(&mut bench, 0, &[0x1e]);
    packet(&mut bench, 0, &[0x1b, 0, 0, 0, 2]);
    bench.fake.effects.retain(|effect| !matches!(effect, Effect::Line(..)));
    let expected = [Effect::Lock(2, true), Effect::Lock(2, false), Effect::Tray(2, true)];
    assert_eq!(bench.fake.take(), expected);
}

/// A request that the operator holds back is made again where the state is loaded, in
/// QEMU's stream and by another version in the slot.
#[test]
fn what_is_held_back_is_done_again() {
    type Start = fn(&mut Bench<Piix3Ide>);
    let starts: [Start; 6] = [
        |bench| extended(bench, 0x24, 5, 3),
        |bench| {
            extended(bench, 0x34, 5, 1);
            (0..256).for_each(|_| bench.port_out(0x1f0, 2, 0x1234));
        },
        |bench| {
            table(bench, 0, &[(0x10_0000, 0x8000_0400)]);
            extended(bench, 0x25, 5, 2);
            outs(bench, &[(0xc000, 9)]);
        },
        |bench| outs(bench, &[(0x1f7, 0xe7)]),
        |bench| packet(bench, 0, &[0xa8, 0, 0, 0, 0, 5, 0, 0, 0, 9]),
        |bench| {
            table(bench, 1, &[(0x10_0000, 0x8000_1000)]);
            packet(bench, 1, &[0x28, 0, 0, 0, 0, 5, 0, 0, 2]);
            outs(bench, &[(0xc008, 9)]);
        },
    ];
    for (index, start) in starts.into_iter().enumerate() {
        for scope in [Scope::Stream, Scope::Whole] {
            let mut old = machine();
            start(&mut old);
            assert_eq!(old.fake.requests.len(), 1, "case {index}");
            let saved = old.save(scope);
            let mut new = Bench::<Piix3Ide>::configured(&drives());
            new.insert_disk(0, disk());
            new.insert_disk(2, cd());
            new.fake.ram = old.fake.ram.clone();
            new.load(scope, saved).expect("its own state");
            let plain = |bench: &Bench<Piix3Ide>| format!("{:?}", bench.fake.requests[0].transfer);
            assert_eq!(plain(&new), plain(&old), "case {index}");
            assert_eq!(new.save(scope)[0].data, old.save(scope)[0].data, "case {index}");
            old.end_requests();
            new.end_requests();
            for port in (0x1f0..0x1f8).chain(0x170..0x178).chain([0xc002, 0xc00a]) {
                assert_eq!(new.port_in(port, 1), old.port_in(port, 1), "case {index}, {port:#x}");
            }
            assert!(new.fake.ram == old.fake.ram && new.fake.media == old.fake.media);
        }
    }
}

/// A command that waits for its bus master goes on where the state is loaded.
#[test]
fn what_waits_goes_on() {
    for (features, command) in [(0, 0x25), (1, 0x12)] {
        let mut old = machine();
        let channel = features;
        table(&mut old, channel, &[(0x10_0000, 0x8000_0400)]);
        if channel == 0 {
            extended(&mut old, command, 5, 2);
        } else {
            packet(&mut old, 1, &[command, 0, 0, 0, 36]);
        }
        let saved = old.save(Scope::Stream);
        let mut new = Bench::<Piix3Ide>::configured(&drives());
        new.insert_disk(0, disk());
        new.insert_disk(2, cd());
        new.fake.ram = old.fake.ram.clone();
        new.load(Scope::Stream, saved).expect("its own state");
        for bench in [&mut old, &mut new] {
            outs(bench, &[(0xc000 + 8 * channel, 9)]);
            bench.end_requests();
        }
        assert_ne!(new.fake.ram.load(0x10_0000, 4), 0);
        assert!(new.fake.ram == old.fake.ram);
    }
}
