//! The memory map a guest is told, with the types of ACPI's E820 interface.

use super::place::Place;
use crate::vm::memory::{FOUR_GIB, HIGH_RAM_START, LOW_RAM_END};
use crate::vm::platform::{KVM_PAGES, KVM_PAGES_SIZE};

/// Where the extended BIOS data area begins on PCs: loaders and guests take the
/// RAM below for theirs.
pub(super) const LOW_RAM_TOP: u64 = 0x9_fc00;

/// Usable RAM (ACPI specification, "Address Range Types").
const RAM: u32 = 1;

/// Not for the guest to use.
const RESERVED: u32 = 2;

/// One range of the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: u64,
    pub(super) length: u64,
    pub(super) kind: u32,
}

/// The map of a machine, in ascending order.
pub(super) fn memory_map(place: &Place<'_>) -> Vec<Range> {
    let memory = place.memory();
    let low = ram(place, 0, LOW_RAM_TOP);
    let high = ram(place, HIGH_RAM_START, memory.below_4g());
    low.chain([(LOW_RAM_TOP, LOW_RAM_END, RESERVED), (0xf_0000, HIGH_RAM_START, RESERVED)])
        .chain(high)
        .chain([
            (KVM_PAGES, KVM_PAGES + KVM_PAGES_SIZE, RESERVED),
            (FOUR_GIB, FOUR_GIB + memory.above_4g(), RAM),
        ])
        .filter(|(start, end, _)| start < end)
        .map(|(start, end, kind)| Range { start, length: end - start, kind })
        .collect()
}

/// How much RAM a guest may use from an address on, up to the first hole.
pub(super) fn usable_at(map: &[Range], start: u64) -> u64 {
    let found = map.iter().find(|range| range.start == start && range.kind == RAM);
    found.map_or(0, |range| range.length)
}

/// RAM, and what of it is reserved: start, end and type, some of them empty.
fn ram(place: &Place<'_>, start: u64, end: u64) -> impl Iterator<Item = (u64, u64, u32)> {
    let here = place.reserved().iter().filter(move |range| (start..end).contains(&range.start));
    let mut ranges = Vec::new();
    let mut from = start;
    for range in here {
        ranges.extend([(from, range.start, RAM), (range.start, range.end, RESERVED)]);
        from = range.end;
    }
    ranges.push((from, end, RAM));
    ranges.into_iter()
}
