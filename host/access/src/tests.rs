extern crate std;
use super::*;
use std::vec;
use std::vec::Vec;

const BYTES: Rules = Rules { valid: Sizes::aligned(1, 1), implemented: Sizes::aligned(1, 1) };
const WORD: Rules = Rules { valid: Sizes::aligned(1, 2), implemented: Sizes::aligned(2, 4) };
const DWORD: Rules = Rules { valid: Sizes::aligned(1, 4), implemented: Sizes::aligned(1, 4) };

#[test]
fn an_unaligned_access_is_cut_to_its_alignment() {
    assert_eq!(chunk(&DWORD, 0, 4), 4);
    assert_eq!(chunk(&DWORD, 1, 4), 1);
    assert_eq!(chunk(&DWORD, 2, 4), 2);
    assert_eq!(chunk(&DWORD, 4, 3), 2);
    assert_eq!(chunk(&BYTES, 4, 4), 1);
}

#[test]
fn implementing_unaligned_accesses_lifts_the_alignment_limit() {
    let rules = Rules { implemented: Sizes { unaligned: true, ..Sizes::aligned(1, 4) }, ..DWORD };
    assert_eq!(chunk(&rules, 1, 4), 4);
    assert_eq!(chunk(&rules, 1, 3), 2);
}

#[test]
fn a_wide_read_is_put_together_from_narrow_registers() {
    let rules = Rules { implemented: Sizes::aligned(1, 1), ..DWORD };
    let mut seen = Vec::new();
    let value = read(&rules, 4, 4, |offset, size| {
        seen.push((offset, size));
        offset
    });
    assert_eq!(value, 0x0706_0504);
    assert_eq!(seen, vec![(4, 1), (5, 1), (6, 1), (7, 1)]);
}

#[test]
fn a_narrow_access_is_widened_in_place() {
    let value = read(&WORD, 1, 1, |offset, size| {
        assert_eq!((offset, size), (1, 2));
        0x1234
    });
    assert_eq!(value, 0x34);
    let mut seen = None;
    write(&WORD, 1, 1, 0xffab, |offset, size, value| seen = Some((offset, size, value)));
    assert_eq!(seen, Some((1, 2, 0xab)));
}

#[test]
fn what_is_not_valid_reads_zero_and_is_not_written() {
    assert_eq!(read(&BYTES, 0, 2, |_, _| unreachable!()), 0);
    let only_dwords = Rules { valid: Sizes::aligned(4, 4), implemented: Sizes::aligned(4, 4) };
    assert_eq!(read(&only_dwords, 0, 1, |_, _| unreachable!()), 0);
    write(&only_dwords, 2, 4, 0, |_, _, _| unreachable!());
}

#[test]
fn sizes_must_be_powers_of_two_in_order() {
    assert!(Sizes::aligned(1, 8).is_sound());
    for (min, max) in [(0, 4), (3, 4), (4, 2), (1, 16), (1, 0)] {
        assert!(!Sizes::aligned(min, max).is_sound(), "{min}..{max}");
    }
}
