//! The memory map a guest is told, with the types of ACPI's E820 interface.

use crate::vm::memory::{FOUR_GIB, HIGH_RAM_START, LOW_RAM_END, Memory};
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
pub(super) fn memory_map(memory: &Memory) -> Vec<Range> {
    [
        (0, LOW_RAM_TOP, RAM),
        (LOW_RAM_TOP, LOW_RAM_END, RESERVED),
        (0xf_0000, HIGH_RAM_START, RESERVED),
        (HIGH_RAM_START, memory.below_4g(), RAM),
        (KVM_PAGES, KVM_PAGES + KVM_PAGES_SIZE, RESERVED),
        (FOUR_GIB, FOUR_GIB + memory.above_4g(), RAM),
    ]
    .into_iter()
    .filter(|(start, end, _)| start < end)
    .map(|(start, end, kind)| Range { start, length: end - start, kind })
    .collect()
}
