//! The saved state against QEMU's.

#![allow(missing_docs, reason = "tests have no users")]

mod common;

use common::{Board, data};
use southbridge_sdk::Display;
use southbridge_sdk::fake::Bench;
use southbridge_sdk::wit::{Refusal, Scope, Section};
use vga::Vga;

fn section(data: Vec<u8>) -> Vec<Section> {
    vec![Section { name: "vga".into(), version: 2, data }]
}

fn load(data: Vec<u8>) -> Result<Bench<Vga>, Refusal> {
    let mut bench = Bench::configured(&[]);
    bench.load(Scope::Stream, section(data)).map(|()| bench)
}

fn saved(bench: &mut Bench<Vga>) -> Vec<u8> {
    let mut sections = bench.save(Scope::Stream);
    assert_eq!(sections.len(), 1);
    assert_eq!((&*sections[0].name, sections[0].version), ("vga", 2));
    sections.remove(0).data
}

#[track_caller]
fn same(found: &[u8], expected: &[u8]) {
    let differs = found.iter().zip(expected).position(|(found, expected)| found != expected);
    assert_eq!(differs, None, "the first byte that differs");
    assert_eq!(found.len(), expected.len());
}

#[test]
fn after_power_on_of_qemu_7_2_and_10_0() {
    let expected = data("sections/reset.bin.gz");
    same(&saved(&mut Bench::new()), &expected);
    same(&saved(&mut load(expected.clone()).expect("QEMU's state is legal")), &expected);
}

/// States that `xl save` wrote while the guest's firmware showed text.
#[test]
fn of_guests_on_xen() {
    for version in ["5.2", "7.2"] {
        let expected = data(&format!("sections/xen-{version}.bin.gz"));
        let mut bench = load(expected.clone()).expect("QEMU's state is legal");
        same(&saved(&mut bench), &expected);
        assert_eq!(bench.fake.mappings[&common::FRAMEBUFFER], (0xf100_0000, 1));
        let text = bench.call(Vga::text);
        assert_eq!(text.map(|rows| (rows.len(), rows[0].chars().count())), Some((25, 80)));
    }
}

#[test]
fn after_recorded_conversations() {
    for name in ["ports", "window", "dispi", "mixed"] {
        let mut board = Board::new();
        board.replay(&format!("{name}.trace.gz"));
        let expected = data(&format!("{name}.section.gz"));
        same(&saved(&mut board.bench), &expected);
        same(&saved(&mut load(expected.clone()).expect("QEMU's state is legal")), &expected);
    }
}

#[test]
fn the_byte_order_is_saved_when_the_guest_has_changed_it() {
    let mut board = Board::new();
    board.replay("screens/vbe-32-big.trace.gz");
    let data = saved(&mut board.bench);
    assert_eq!(data[1407..], *b"\x05\x0avga.endian\0\0\0\x01\x01");
    let mut again = load(data.clone()).expect("its own state");
    same(&saved(&mut again), &data);
}

fn refused(change: impl FnOnce(&mut [u8])) -> String {
    let mut data = data("sections/xen-7.2.bin.gz");
    change(&mut data);
    let refusal = load(data).err().expect("the state is not legal");
    format!("{}: {}", refusal.field, refusal.reason)
}

/// Offsets from the section's end.
const BANK_MASK: usize = 1407 - 4;
const LINE_OFFSET: usize = BANK_MASK - 4;
const START: usize = LINE_OFFSET - 4;
const REGS: usize = START - 20;
const BANK_OFFSET: usize = REGS - 2 - 1 - 4;

#[test]
fn states_that_cannot_be() {
    let beyond = refused(|data| data[BANK_OFFSET] = 1);
    assert!(beyond.starts_with("vga.bank_offset: 0x1000000 found"), "{beyond}");
    let between = refused(|data| data[BANK_OFFSET + 3] = 1);
    assert!(between.starts_with("vga.bank_offset: 0x1 found"), "{between}");
    let bank = refused(|data| data[BANK_OFFSET + 1] = 1);
    assert!(bank.contains("bank_offset 0x10000: 0x0, the bank, expected"), "{bank}");
    let size = refused(|data| data[BANK_MASK + 3] = 0x7f);
    assert!(size.ends_with("0xff expected: video memory of another size"), "{size}");
    let line = refused(|data| data[LINE_OFFSET + 1] = 1);
    assert!(line.starts_with("vga.vbe_line_offset: 65536 found"), "{line}");
    let start = refused(|data| data[START + 1] = 0x40);
    assert!(start.starts_with("vga.vbe_start_addr: 0x400000 found"), "{start}");
    let index = refused(|data| data[280] = 8);
    assert_eq!(index, "vga.sr_index: 0x8 found, at most 0x7 expected");
}

/// Line offsets and starts follow from the mode: any others could lead out of the
/// video memory.
#[test]
fn modes_that_cannot_be() {
    let mut board = Board::new();
    board.replay("screens/vbe-16.trace.gz");
    let good = saved(&mut board.bench);
    assert!(load(good.clone()).is_ok());
    for (at, byte) in [
        (LINE_OFFSET + 2, 0x20),
        (START + 2, 0x20),
        // XRES, YRES, VIRT_WIDTH, Y_OFFSET.
        (REGS + 2, 0xff),
        (REGS + 4, 0xff),
        (REGS + 12, 0xff),
        (REGS + 18, 0xff),
    ] {
        let mut data = good.clone();
        data[at] = byte;
        let refusal = load(data).err().expect("there is no such mode");
        assert!(refusal.reason.contains("is no mode"), "{}", refusal.reason);
    }
}
