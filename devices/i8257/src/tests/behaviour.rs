//! Transfers, as QEMU's own with its floppy disk controller show them.

use std::cell::RefCell;
use std::rc::Rc;

use southbridge_sdk::fake::{Bench, Bytes};
use southbridge_sdk::wit::PropertyValue;
use southbridge_sdk::{Context, IsaDmaTarget};

use super::program;
use crate::I8257;

/// What a device has, or has got.
#[derive(Default)]
struct Device {
    has: Vec<u8>,
    got: Vec<u8>,
    room: usize,
    terminal_counts: usize,
}

#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Device>>);

impl IsaDmaTarget for Shared {
    fn take(&mut self, _cx: &mut Context<'_>, length: u32) -> Vec<u8> {
        let has = &mut self.0.borrow_mut().has;
        let length = has.len().min(length as usize);
        has.drain(..length).collect()
    }

    fn give(&mut self, _cx: &mut Context<'_>, data: &[u8]) -> u32 {
        let mut device = self.0.borrow_mut();
        let length = data.len().min(device.room - device.got.len());
        device.got.extend_from_slice(&data[..length]);
        length as u32
    }

    fn terminal_count(&mut self, _cx: &mut Context<'_>) {
        self.0.borrow_mut().terminal_counts += 1;
    }
}

/// A machine with 256 KiB of 0xee, and a device on a channel.
fn machine(channel: u8) -> (Bench<I8257>, Shared) {
    let mut bench = Bench::<I8257>::new();
    bench.fake.ram = Bytes { data: vec![0xee; 1 << 18] };
    let device = Shared::default();
    bench.fake.isa_dma.insert(channel, Box::new(device.clone()));
    (bench, device)
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 + at / 512) as u8).collect()
}

/// Status, count and address of channel 2, low bytes first.
fn registers(bench: &mut Bench<I8257>) -> [u8; 5] {
    [8, 5, 5, 4, 4].map(|port| bench.port_in(port, 1) as u8)
}

/// The addresses that were written.
fn written(bench: &Bench<I8257>) -> Vec<(usize, usize)> {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for (at, _) in bench.fake.ram.data.iter().enumerate().filter(|(_, byte)| **byte != 0xee) {
        match ranges.last_mut() {
            Some((_, end)) if *end + 8 > at => *end = at + 1,
            _ => ranges.push((at, at + 1)),
        }
    }
    ranges
}

/// Device to memory: mode, count, what the device has; what is in the registers then.
fn store(mode: u8, count: u16, length: usize) -> (Bench<I8257>, Shared, [u8; 5]) {
    let (mut bench, device) = machine(2);
    device.0.borrow_mut().has = pattern(length);
    program(&mut bench, 2, mode, 0x2_1000, count);
    bench.line(2, true);
    bench.line(2, false);
    let registers = registers(&mut bench);
    (bench, device, registers)
}

#[test]
fn a_device_writes_to_memory_up_to_the_terminal_count() {
    for mode in [0x44, 0x54, 0x48, 0x4c] {
        let (mut bench, device, found) = store(mode, 0x1ff, 1024);
        assert_eq!(found, [0x04, 0xff, 0xff, 0x00, 0x12], "mode {mode:#x}");
        assert_eq!(written(&bench), [(0x2_1000, 0x2_1200)]);
        assert_eq!(bench.fake.ram.read(0x2_1000, 512), pattern(512));
        assert_eq!(device.0.borrow().terminal_counts, 1);
        assert_eq!(device.0.borrow().has.len(), 512);
        assert_eq!(bench.port_in(8, 1), 0, "a read clears the terminal count");
    }
}

#[test]
fn a_transfer_goes_on_where_the_device_had_no_more() {
    let (mut bench, device, found) = store(0x44, 0x1ff, 256);
    assert_eq!(found, [0x00, 0xff, 0x00, 0x00, 0x11]);
    assert_eq!(device.0.borrow().terminal_counts, 0);
    device.0.borrow_mut().has = vec![0x5a; 300];
    bench.line(2, true);
    assert_eq!(registers(&mut bench), [0x44, 0xff, 0xff, 0x00, 0x12]);
    assert_eq!(
        bench.fake.ram.read(0x2_10ff, 258),
        [vec![0xf9], vec![0x5a; 256], vec![0xee]].concat()
    );
    // At its end the channel starts again, also if it does not initialize itself.
    bench.line(2, false);
    bench.line(2, true);
    assert_eq!(device.0.borrow().has.len(), 0);
    assert_eq!(device.0.borrow().terminal_counts, 1);
    assert_eq!(registers(&mut bench), [0x40, 0xd3, 0x01, 0x2c, 0x10]);
}

#[test]
fn a_channel_that_initializes_itself_starts_again() {
    let (mut bench, device, _) = store(0x54, 0x1ff, 512);
    device.0.borrow_mut().has = vec![0x5a; 16];
    bench.line(2, true);
    assert_eq!(registers(&mut bench), [0x40, 0xef, 0x01, 0x10, 0x10]);
    assert_eq!(bench.fake.ram.read(0x2_1000, 17), [vec![0x5a; 16], vec![112]].concat());
}

#[test]
fn an_address_that_counts_down_as_in_qemu() {
    let (bench, _, found) = store(0x64, 0x1ff, 512);
    assert_eq!(found, [0x04, 0xff, 0xff, 0x00, 0x0e]);
    assert_eq!(bench.fake.ram.read(0x2_0e00, 512), pattern(512));
    let (bench, _, found) = store(0x64, 0x3ff, 1024);
    assert_eq!(found, [0x04, 0xff, 0xff, 0x00, 0x0c]);
    let sectors = pattern(1024);
    assert_eq!(bench.fake.ram.read(0x2_0c00, 512), sectors[512..]);
    assert_eq!(bench.fake.ram.read(0x2_0e00, 512), sectors[..512]);
    let (mut bench, device) = machine(2);
    bench.fake.ram.write(0x2_0ffc, &[1, 2, 3, 4]);
    device.0.borrow_mut().room = 4;
    program(&mut bench, 2, 0x68, 0x2_1000, 3);
    bench.line(2, true);
    assert_eq!(device.0.borrow().got, [4, 3, 2, 1]);
}

#[test]
fn verifying_touches_no_memory() {
    let (bench, device, found) = store(0x40, 0x1ff, 512);
    assert_eq!(found, [0x04, 0xff, 0xff, 0x00, 0x12]);
    assert_eq!(written(&bench), []);
    assert_eq!(device.0.borrow().terminal_counts, 1);
    let (mut bench, device) = machine(2);
    device.0.borrow_mut().room = 100;
    program(&mut bench, 2, 0x40, 0x2_1000, 99);
    bench.line(2, true);
    assert_eq!(device.0.borrow().got, [0; 100]);
}

#[test]
fn a_device_reads_memory() {
    let (mut bench, device) = machine(2);
    bench.fake.ram.write(0x1_2345, &pattern(700));
    device.0.borrow_mut().room = 600;
    bench.line(2, true);
    program(&mut bench, 2, 0x48, 0x1_2345, 699);
    assert_eq!(device.0.borrow().got, pattern(600), "the device has room for 600");
    assert_eq!(registers(&mut bench), [0x40, 99, 0, 0x9d, 0x25]);
}

#[test]
fn words_and_a_count_of_128_kib() {
    let (mut bench, device) = machine(5);
    device.0.borrow_mut().has = vec![0x5a; 0x2_0000];
    for (port, byte) in
        [(0xd6, 0x45), (0xc4, 0x00), (0xc4, 0x80), (0x8b, 0x02), (0xc6, 0xff), (0xc6, 0xff)]
    {
        bench.port_out(port, 1, byte);
    }
    bench.line(5, true);
    assert_eq!(written(&bench), [], "it is masked");
    bench.port_out(0xd4, 1, 1);
    // The page's lowest bit and bit 16 of the address are one line.
    assert_eq!(written(&bench), [(0x3_0000, 0x4_0000)]);
    assert_eq!(bench.port_in(0xd0, 1), 0x22);
    assert_eq!([bench.port_in(0xc6, 1), bench.port_in(0xc6, 1)], [0xff, 0xff]);
    assert_eq!(device.0.borrow().terminal_counts, 1);
}

#[test]
fn a_request_by_software() {
    let (mut bench, device) = machine(2);
    device.0.borrow_mut().has = pattern(512);
    program(&mut bench, 2, 0x44, 0x2_1000, 0x1ff);
    bench.port_out(9, 1, 6);
    assert_eq!(written(&bench), [(0x2_1000, 0x2_1200)]);
    assert_eq!(bench.port_in(8, 1), 0x44);
    bench.port_out(9, 1, 2);
    assert_eq!(bench.port_in(8, 1), 0);
}

#[test]
fn high_pages_are_a_property() {
    let values = [("high-page-enable", PropertyValue::Flag(true))];
    let mut bench = Bench::<I8257>::with(&values);
    bench.port_out(0x482, 2, 0x4433);
    assert_eq!(bench.port_in(0x481, 2), 0x3300);
    assert_eq!(bench.port_in(0x483, 2), 0xff44);
    assert_eq!(Bench::<I8257>::new().port_in(0x482, 1), 0xff);
}
