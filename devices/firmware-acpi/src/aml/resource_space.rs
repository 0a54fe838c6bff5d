//! Descriptors of the address ranges that a bridge passes on (ACPI 6.4.3.5).

use std::ops::RangeInclusive;

const DWORD: u8 = 0x87;
const WORD: u8 = 0x88;
const QWORD: u8 = 0x8a;

const MEMORY: u8 = 0;
const IO: u8 = 1;
const BUS: u8 = 2;

/// General flags: both ends are fixed. Resource producer and positive decode are
/// the zeros.
const FIXED: u8 = 1 << 2 | 1 << 3;
/// Flags of a range of ports: all of it, ISA and other.
const ENTIRE: u8 = 3;
const READ_WRITE: u8 = 1 << 0;

/// Whether a processor may cache what it reads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Caching {
    Never = 0,
    Allowed = 1,
}

/// Buses.
pub(crate) fn bus_numbers(range: RangeInclusive<u16>) -> Vec<u8> {
    word(BUS, 0, range)
}

/// Ports.
pub(crate) fn io_window(range: RangeInclusive<u16>) -> Vec<u8> {
    word(IO, ENTIRE, range)
}

/// Memory below 4 GiB.
pub(crate) fn dword_memory(caching: Caching, range: RangeInclusive<u32>) -> Vec<u8> {
    let length = range.end().wrapping_sub(*range.start()).wrapping_add(1);
    let fields = [0, *range.start(), *range.end(), 0, length];
    descriptor(DWORD, MEMORY, memory_flags(caching), fields.map(u32::to_le_bytes).as_flattened())
}

/// Memory anywhere.
pub(crate) fn qword_memory(caching: Caching, range: RangeInclusive<u64>) -> Vec<u8> {
    let length = range.end().wrapping_sub(*range.start()).wrapping_add(1);
    let fields = [0, *range.start(), *range.end(), 0, length];
    descriptor(QWORD, MEMORY, memory_flags(caching), fields.map(u64::to_le_bytes).as_flattened())
}

fn word(kind: u8, flags: u8, range: RangeInclusive<u16>) -> Vec<u8> {
    let length = range.end().wrapping_sub(*range.start()).wrapping_add(1);
    let fields = [0, *range.start(), *range.end(), 0, length];
    descriptor(WORD, kind, flags, fields.map(u16::to_le_bytes).as_flattened())
}

const fn memory_flags(caching: Caching) -> u8 {
    READ_WRITE | (caching as u8) << 1
}

/// Granularity, first, last, translation and length follow the flags.
fn descriptor(opcode: u8, kind: u8, flags: u8, fields: &[u8]) -> Vec<u8> {
    let length = u16::try_from(3 + fields.len()).unwrap_or(u16::MAX).to_le_bytes();
    [&[opcode, length[0], length[1], kind, FIXED, flags], fields].concat()
}
