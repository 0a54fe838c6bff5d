//! Memory of devices: a display with its memory and its ROM.

use southbridge::component::Effects;
use southbridge::migrate::{Fault, RunStateName};
use vmstate::{Layouts, Stream};

use super::hostile::{block, fault, memory};
use super::whole::{MIB, Whole};

/// Where the display's memory and its ROM are put.
const VRAM: u64 = 0xe000_0000;
const ROM: u64 = 0xe200_0000;
/// Places in its memory: the first page, one that spans two, the last.
const PLACES: [u64; 3] = [0x10, 0x12_3ffc, 16 * MIB - 8];

const NEW: &str = "pc-i440fx-7.2";
/// The newest in which video memory is named without its device.
const OLD: &str = "pc-i440fx-2.12";

fn configure(whole: &Whole, register: u64, value: u64) {
    let mut effects = Effects::new();
    whole.machine.port_write(0xcf8, 4, 0x8000_1000 | register, &mut effects);
    whole.machine.port_write(0xcfc, 4, value, &mut effects);
}

/// A machine whose display answers.
fn displaying(name: &str, rom: &[u8]) -> Whole {
    let whole = Whole::with_display(name, rom);
    for (register, value) in [(0x10, VRAM), (0x30, ROM | 1), (0x04, 2)] {
        configure(&whole, register, value);
    }
    whole
}

fn read(whole: &Whole, address: u64) -> u64 {
    whole.machine.memory_read(address, 8, &mut Effects::new())
}

fn write(whole: &Whole, address: u64, value: u64) {
    whole.machine.memory_write(address, 8, value, &mut Effects::new());
}

fn blocks(bytes: &[u8]) -> Vec<(String, u64)> {
    let blocks = Stream::read(bytes, Layouts::builtin()).unwrap().live.blocks;
    blocks.into_iter().map(|block| (block.name, block.size)).collect()
}

#[test]
fn a_display_takes_its_memory_along() {
    for (name, vram) in [(NEW, "0000:00:02.0/vga.vram"), (OLD, "vga.vram")] {
        let (here, there) = (displaying(name, &[0x5a; 100]), Whole::with_display(name, &[1; 9]));
        for (place, number) in PLACES.into_iter().zip(1..) {
            write(&here, VRAM + place, 0x0102_0304_0506_0708 * number);
        }
        let bytes = here.save(RunStateName::RUNNING);
        let expected = [
            (vram, 16 * MIB),
            ("pc.ram", 3 * MIB),
            ("pc.rom", 128 << 10),
            ("pc.bios", 64 << 10),
            ("0000:00:02.0/vga.rom", 64 << 10),
        ];
        let found = blocks(&bytes);
        assert!(found.iter().map(|(name, size)| (name.as_str(), *size)).eq(expected), "{found:?}");

        let arrived = there.load(&bytes).unwrap();
        assert_eq!(arrived.kept_blocks, [], "{name}");
        for (place, number) in PLACES.into_iter().zip(1..) {
            assert_eq!(read(&there, VRAM + place), 0x0102_0304_0506_0708 * number, "{name}");
        }
        // Its ROM is the other side's now, to the end.
        assert_eq!(read(&there, ROM), 0x5a5a_5a5a_5a5a_5a5a, "{name}");
        assert_eq!(read(&there, ROM + 96), 0x5a5a_5a5a, "{name}");
        assert!(there.save(RunStateName::RUNNING) == bytes, "{name}");
    }
}

#[test]
fn a_machine_without_a_display_keeps_it() {
    let here = displaying(NEW, &[0x5a; 100]);
    write(&here, VRAM + PLACES[1], 7);
    let bytes = here.save(RunStateName::PAUSED);
    let between = Whole::new(NEW, 0);
    let arrived = between.load(&bytes).unwrap();
    assert!(arrived.kept.contains(&("0000:00:02.0/vga".to_owned(), 0)), "{:?}", arrived.kept);
    assert_eq!(
        arrived.kept_blocks,
        [("0000:00:02.0/vga.vram".to_owned(), 16 * MIB), ("0000:00:02.0/vga.rom".into(), 64 << 10)]
    );
    let there = Whole::with_display(NEW, &[]);
    assert_eq!(there.load(&between.save(RunStateName::PAUSED)).unwrap().kept_blocks, []);
    assert_eq!((read(&there, VRAM + PLACES[1]), read(&there, ROM + 96)), (7, 0x5a5a_5a5a));
}

#[test]
fn memory_of_another_size_is_refused_before_a_page_arrives() {
    for (name, vram) in [(NEW, "0000:00:02.0/vga.vram"), (OLD, "vga.vram")] {
        for (last, expected) in [(vram, 16 * MIB), ("0000:00:02.0/vga.rom", 64 << 10)] {
            let there = displaying(name, &[0x5a; 100]);
            let all = [block("pc.ram", 3 * MIB), block(last, MIB)];
            let bytes = memory(Some(name), &all, &[(0, 0), (1, 0)]);
            let wanted = Fault::BlockSize { block: last.into(), found: MIB, expected };
            assert_eq!(fault(&there, &bytes), wanted);
            assert_eq!(there.read::<4>(0), [0; 4]);
            assert_eq!((read(&there, VRAM), read(&there, ROM)), (0, 0x5a5a_5a5a_5a5a_5a5a));
        }
    }
}

#[test]
fn a_machine_whose_display_was_written_to_is_spoilt() {
    let there = displaying(NEW, &[]);
    let vram = block("0000:00:02.0/vga.vram", 16 * MIB);
    let bytes = memory(Some(NEW), &[vram], &[(0, 0x1000)]);
    // The devices are missing.
    assert!(there.load(&bytes).unwrap_err().memory_is_spoilt);
    assert_eq!(read(&there, VRAM + 0x1000), 0x0707_0707_0707_0707);
}
