//! The method that says where a slot's memory is (6.2.2, `_CRS`).

use super::memory::{LOCK, select};
use crate::aml::{
    Caching, Term, acquire, add, assign, create_dword_field, dword_memory, equal, if_then, less,
    name, qword_memory, release, return_value, store, subtract, template,
};

/// Where in a descriptor of 64-bit memory first, last and length are, and in one
/// of 32-bit memory (6.4.3.5.1 and 6.4.3.5.2).
mod at {
    pub(super) const WIDE_FIRST: u64 = 14;
    pub(super) const WIDE_LAST: u64 = 22;
    pub(super) const WIDE_LENGTH: u64 = 38;
    pub(super) const FIRST: u64 = 10;
    pub(super) const LAST: u64 = 14;
    pub(super) const LENGTH: u64 = 22;
}

/// Fills a wide descriptor from the registers, in halves, with the carries that
/// this takes; and returns a narrow one if that is enough.
pub(super) fn resources() -> Vec<Term> {
    const EVERYTHING: std::ops::RangeInclusive<u64> = 0..=u64::MAX - 1;
    let wide = |at: u64, name: &str| create_dword_field("MR64".into(), at, name);
    let sum = |left: &str, right: &str, to: &str| assign(add(left, right), to);
    let add_one = |to: &str| assign(add(to, 1), to);
    let subtract_one = |from: &str| assign(subtract(from, 1), from);
    vec![
        acquire(LOCK),
        select(),
        name("MR64", template([qword_memory(Caching::Allowed, EVERYTHING)])),
        wide(at::WIDE_FIRST, "MINL"),
        wide(at::WIDE_FIRST + 4, "MINH"),
        wide(at::WIDE_LENGTH, "LENL"),
        wide(at::WIDE_LENGTH + 4, "LENH"),
        wide(at::WIDE_LAST, "MAXL"),
        wide(at::WIDE_LAST + 4, "MAXH"),
        store("MRBH", "MINH"),
        store("MRBL", "MINL"),
        store("MRLH", "LENH"),
        store("MRLL", "LENL"),
        sum("MINL", "LENL", "MAXL"),
        sum("MINH", "LENH", "MAXH"),
        if_then(less("MAXL", "MINL"), add_one("MAXH")),
        if_then(less("MAXL", 1), subtract_one("MAXH")),
        subtract_one("MAXL"),
        if_then(equal("MAXH", 0), narrow()),
        release(LOCK),
        return_value("MR64"),
    ]
}

fn narrow() -> Vec<Term> {
    const EVERYTHING: std::ops::RangeInclusive<u32> = 0..=u32::MAX - 1;
    let field = |at: u64, name: &str| create_dword_field("MR32".into(), at, name);
    vec![
        name("MR32", template([dword_memory(Caching::Allowed, EVERYTHING)])),
        field(at::FIRST, "MIN"),
        field(at::LAST, "MAX"),
        field(at::LENGTH, "LEN"),
        store("MINL", "MIN"),
        store("MAXL", "MAX"),
        store("LENL", "LEN"),
        release(LOCK),
        return_value("MR32"),
    ]
}
