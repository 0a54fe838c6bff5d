//! What no recording shows.

#![allow(missing_docs, reason = "tests have no users")]

mod common;

use common::{Board, FRAMEBUFFER, VRAM, VRAM_SIZE};
use southbridge_sdk::fake::{Bench, Fake, override_properties};
use southbridge_sdk::wit::PropertyValue;
use southbridge_sdk::{Context, Device, Display, Properties};
use vga::Vga;

const MMIO: u32 = 2;
const FIRMWARE: u32 = 3;

fn no(name: &str) -> (&str, PropertyValue) {
    (name, PropertyValue::Flag(false))
}

fn dispi(bench: &mut Bench<Vga>, index: u16, value: u16) {
    bench.port_out(0x1ce, 2, index.into());
    bench.port_out(0x1cf, 2, value.into());
}

/// Sets a mode; the palette belongs to the display.
fn mode(bench: &mut Bench<Vga>, width: u16, height: u16, bits: u16, enable: u16) {
    for (index, value) in [(4, 0), (1, width), (2, height), (3, bits), (4, enable)] {
        dispi(bench, index, value);
    }
    bench.port_in(0x3ba, 1);
    bench.port_in(0x3da, 1);
    bench.port_out(0x3c0, 1, 0x20);
}

#[test]
fn the_function_is_qemus() {
    let mut bench = Bench::<Vga>::new();
    assert_eq!(bench.configuration_read(0x00, 4), 0x1111_1234);
    assert_eq!(bench.configuration_read(0x08, 4), 0x0300_0002);
    assert_eq!(bench.configuration_read(0x2c, 4), 0x1100_1af4);
    assert_eq!(bench.configuration_read(0x3c, 4), 0);
    for (at, expected) in
        [(0x10, 0xff00_0008), (0x14, 0), (0x18, 0xffff_f000), (0x1c, 0), (0x30, 0xffff_0001)]
    {
        bench.configuration_write(at, 4, 0xffff_ffff);
        assert_eq!(bench.configuration_read(at, 4), expected, "{at:#x}");
    }
    bench.configuration_write(0x10, 4, 0xe000_0000);
    bench.configuration_write(0x18, 4, 0xf000_0000);
    bench.configuration_write(0x30, 4, 0xf101_0001);
    bench.configuration_write(0x04, 2, 2);
    for (region, base) in [(FRAMEBUFFER, 0xe000_0000), (MMIO, 0xf000_0000), (FIRMWARE, 0xf101_0000)]
    {
        assert_eq!(bench.fake.mappings[&region], (base, 1));
    }
}

#[test]
fn older_machines_lack_registers_in_memory() {
    let mut bench = Bench::<Vga>::with(&[no("edid"), no("qemu-extended-regs")]);
    assert_eq!(bench.read(MMIO, 0, 4), 0xffff_ffff);
    assert_eq!(bench.read(MMIO, 0x600, 4), 0xffff_ffff);
    bench.write(MMIO, 0x604, 4, 0xbebe_bebe);
    assert_eq!(bench.read(MMIO, 0x604, 4), 0xffff_ffff);
    let mut bench = Bench::<Vga>::new();
    assert_eq!(bench.read(MMIO, 0, 4), 0xffff_ff00);
    assert_eq!(bench.read(MMIO, 0x600, 4), 8);
    bench.write(MMIO, 0x604, 4, 0xbebe_bebe);
    assert_eq!(bench.read(MMIO, 0x604, 4), 0xbebe_bebe);
}

#[test]
fn the_monitors_data_is_sealed() {
    let mut bench = Bench::<Vga>::new();
    for block in 0..2 {
        let bytes = (0..128).map(|at| bench.read(MMIO, 128 * block + at, 1));
        assert_eq!(bytes.sum::<u64>() % 256, 0);
    }
}

#[test]
fn video_memory_has_one_size() {
    let eight = ("vgamem_mb", PropertyValue::Number(8));
    let properties = override_properties(&Vga::describe(), &[eight]);
    let configured =
        Vga::configure(&Properties::new(properties), &mut Context::new(0, &mut Fake::default()));
    assert_eq!(configured.err().as_deref(), Some("property vgamem_mb: 8, 16 expected"));
}

#[test]
fn characters_are_unicode() {
    let mut board = Board::new();
    board.replay("screens/text.trace.gz");
    let rows = board.text().expect("a text mode");
    assert_eq!(rows.len(), 25);
    assert!(rows.iter().all(|row| row.chars().count() == 80));
    assert!(rows[0].starts_with(" ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼ !\"#$%&'()*+"));
    assert!(rows[0].ends_with("ABCDEFGHIJKLMNO"));
    assert!(rows[1].starts_with("PQRSTUVWXYZ[\\]^_`abc") && rows[1].ends_with(&" ".repeat(60)));
    assert!(rows[2].contains("░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"), "{}", rows[2]);
    assert_eq!(Board::new().text(), None);
    let mut board = Board::new();
    board.replay("screens/mode-13.trace.gz");
    assert_eq!(board.text(), None);
}

#[test]
fn a_screen_that_is_dark_is_black() {
    let mut board = Board::new();
    let frame = board.picture();
    assert_eq!((frame.width, frame.height), (640, 480));
    board.replay("screens/text.trace.gz");
    assert!(board.picture().pixels.iter().any(|&byte| byte != 0));
    // The palette belongs to the processor.
    board.bench.port_in(0x3da, 1);
    board.bench.port_out(0x3c0, 1, 0);
    let frame = board.picture();
    assert_eq!((frame.width, frame.height), (720, 400));
    assert_eq!(frame.pixels.len(), 3 * 720 * 400);
    assert!(frame.pixels.iter().all(|&byte| byte == 0));
    assert_eq!(board.text(), None);
}

#[test]
fn a_picture_has_a_largest_size() {
    let mut bench = Bench::<Vga>::new();
    for (width, height, bits, shown) in [
        (16000, 1048, 8, (4096, 1048)),
        (640, 12000, 8, (640, 4096)),
        (8000, 4194, 4, (4096, 4096)),
        (4096, 1024, 32, (4096, 1024)),
    ] {
        mode(&mut bench, width, height, bits, 0xc1);
        let frame = bench.call(Vga::picture);
        assert_eq!((frame.width, frame.height), shown);
        assert_eq!(frame.pixels.len(), 3 * (shown.0 * shown.1) as usize);
    }
}

#[test]
fn a_mode_clears_what_it_shows_unless_told_not_to() {
    let mut bench = Bench::<Vga>::new();
    let fill = |bench: &mut Bench<Vga>| {
        let vram = bench.fake.memories.get_mut(&VRAM).expect("declared");
        vram.write(0, &vec![0x55; VRAM_SIZE as usize]);
    };
    let cleared = |bench: &Bench<Vga>| {
        let data = &bench.fake.memories[&VRAM].data;
        data.iter().position(|&byte| byte != 0)
    };
    fill(&mut bench);
    mode(&mut bench, 800, 600, 16, 0xc1);
    assert_eq!(cleared(&bench), Some(0));
    mode(&mut bench, 800, 600, 16, 0x41);
    assert_eq!(cleared(&bench), Some(2 * 800 * 600));
    // The last line that fits.
    fill(&mut bench);
    mode(&mut bench, 4096, 12000, 8, 0x41);
    assert_eq!(cleared(&bench), None);
}
