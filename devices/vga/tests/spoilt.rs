//! A state with a byte that is not as it was saved is refused, or it is legal.

#![allow(missing_docs, reason = "tests have no users")]

mod common;

use common::Board;
use southbridge_sdk::fake::{Bench, Structure, Value};
use southbridge_sdk::wit::Scope;
use vga::Vga;

/// Indices lead nowhere but to registers, and the bank into the memory.
fn legal(_: &str, structure: &Structure) {
    let number = |name: &str| match structure.get(&["vga", name]) {
        Some(&Value::Unsigned(value)) => value,
        Some(&Value::Signed(value)) => u64::try_from(value).expect("not negative"),
        other => panic!("{name}: {other:?}"),
    };
    for (name, most) in [
        ("sr_index", 7),
        ("gr_index", 15),
        ("ar_index", 0x3f),
        ("ar_flip_flop", 1),
        ("dac_state", 3),
        ("dac_sub_index", 2),
        ("bank_offset", 0xff_0000),
        ("vbe_start_addr", (16 << 20) / 4 - 1),
        ("vbe_line_offset", 64000),
        ("vbe_bank_mask", 0xff),
    ] {
        assert!(number(name) <= most, "{name} {:#x}", number(name));
    }
}

#[test]
fn the_whole_state_in_a_mode_of_the_display_interface() {
    let mut board = Board::new();
    board.replay("screens/vbe-32-big.trace.gz");
    let sections = board.bench.save(Scope::Whole);
    let spoilt = Bench::<Vga>::spoil(&[], Scope::Whole, &sections, legal);
    assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
}
