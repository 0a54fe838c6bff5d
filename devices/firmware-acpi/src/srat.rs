//! Which processors and which memory are near each other (5.2.16), and how far
//! nodes are apart (5.2.17).

use crate::board::{Board, MemoryHotplug, Numa, Processor};
use crate::{header, madt};

/// Types of structures.
mod kind {
    pub(super) const LOCAL_APIC: u8 = 0;
    pub(super) const MEMORY: u8 = 1;
    pub(super) const LOCAL_X2APIC: u8 = 2;
}

/// Flags of a structure.
const ENABLED: u32 = 1 << 0;
const HOTPLUGGABLE: u32 = 1 << 1;

/// Where memory below 4 GiB is no memory: displays and BIOS.
const HOLE: std::ops::Range<u64> = 0xa_0000..0x10_0000;
const HIGH: u64 = 1 << 32;

/// The static resource affinity table.
pub(crate) fn affinity(board: &Board, numa: &Numa) -> Vec<u8> {
    let mut body = [1, 0, 0].map(u32::to_le_bytes).concat();
    for processor in &board.processors {
        body.extend(local_apic(*processor));
    }
    let ranges = ranges(board, numa);
    for range in &ranges {
        body.extend(memory(range.node, range.base, range.length, ENABLED));
    }
    // Room for the holes that there could be.
    const HOLES: usize = 2;
    for _ in ranges.len()..numa.nodes.len() + HOLES {
        body.extend(memory(0, 0, 0, 0));
    }
    if let Some(hotplug) = &board.memory_hotplug {
        body.extend(pluggable(numa, hotplug));
    }
    header::table(*b"SRAT", &body)
}

/// The system locality information table, if distances are known.
pub(crate) fn distances(numa: &Numa) -> Option<Vec<u8>> {
    let distances = numa.distances.as_ref()?;
    let count = distances.len() as u64;
    let body: Vec<u8> = count.to_le_bytes().into_iter().chain(distances.concat()).collect();
    Some(header::table(*b"SLIT", &body))
}

/// A processor (5.2.16.1), or one with a wide APIC id (5.2.16.3).
fn local_apic(processor: Processor) -> Vec<u8> {
    let node = processor.node.unwrap_or(0);
    match madt::narrow_id(processor) {
        Some(id) => {
            let [low, rest @ ..] = node.to_le_bytes();
            let flags = ENABLED.to_le_bytes();
            let head = [kind::LOCAL_APIC, 16, low, id];
            [&head[..], &flags, &[0], &rest, &[0; 4]].concat()
        }
        None => {
            let head = u32::from_le_bytes([kind::LOCAL_X2APIC, 24, 0, 0]);
            [head, node, processor.apic_id, ENABLED, 0, 0].map(u32::to_le_bytes).concat()
        }
    }
}

/// Memory (5.2.16.2).
fn memory(node: u32, base: u64, length: u64, flags: u32) -> Vec<u8> {
    [
        &[kind::MEMORY, 40][..],
        &node.to_le_bytes(),
        &[0; 2],
        &base.to_le_bytes(),
        &length.to_le_bytes(),
        &[0; 4],
        &flags.to_le_bytes(),
        &[0; 8],
    ]
    .concat()
}

/// The room for memory to be plugged, which is given to the last node.
fn pluggable(numa: &Numa, hotplug: &MemoryHotplug) -> Vec<u8> {
    let last = u32::try_from(numa.nodes.len().saturating_sub(1)).unwrap_or(u32::MAX);
    let (base, length) = (hotplug.base, hotplug.length);
    memory(last, base, length, ENABLED | HOTPLUGGABLE)
}

/// Memory of one node.
struct Range {
    node: u32,
    base: u64,
    length: u64,
}

/// Where each node's memory is: one behind the other, around the holes.
fn ranges(board: &Board, numa: &Numa) -> Vec<Range> {
    let low_end = u64::from(*board.pci.low_window.start());
    // Memory by offset, and what is to be added for its address.
    let parts = [(0, HOLE.start, 0), (HOLE.end, low_end, 0), (low_end, u64::MAX, HIGH - low_end)];
    let mut ranges = Vec::new();
    let mut offset = 0_u64;
    for (node, length) in (0..).zip(&numa.nodes) {
        let end = offset.saturating_add(*length);
        for (first, last, moved) in parts {
            let (first, last) = (offset.max(first), end.min(last));
            if first < last {
                let base = first.saturating_add(moved);
                ranges.push(Range { node, base, length: last - first });
            }
        }
        offset = end;
    }
    ranges
}
