//! Which region answers at which address.

use std::sync::Arc;

use access::Rules;

use crate::component::Region;
use crate::slot::Slot;

/// A region of a device, mapped at an address.
#[derive(Clone)]
pub struct Mapping {
    /// The slot of the device.
    pub slot: Arc<Slot>,
    /// The number of the region in its device.
    pub region: u32,
    /// Its name, for messages.
    pub name: Arc<str>,
    /// The first address.
    pub base: u64,
    /// The last address. One region may end where the address space ends.
    pub last: u64,
    /// Higher answers first.
    pub priority: u8,
    /// How accesses meet its registers.
    pub rules: Rules,
    /// The block of the slot's memory that answers in the device's place, if any.
    pub backing: Option<u32>,
}

impl Mapping {
    /// A region at an address; none if it would reach beyond `limit`, the last
    /// address of the space. As in QEMU, what lies outside is simply not seen.
    #[must_use]
    pub fn new(
        slot: &Arc<Slot>,
        index: u32,
        region: &Region,
        base: u64,
        priority: u8,
        limit: u64,
    ) -> Option<Self> {
        let last = base.checked_add(region.size - 1)?.min(limit);
        (base <= limit).then(|| Self {
            slot: slot.clone(),
            region: index,
            name: region.name.as_str().into(),
            base,
            last,
            priority,
            rules: region.rules(),
            backing: region.backing,
        })
    }

    /// Whether this is the mapping of a device's region.
    #[must_use]
    pub fn is(&self, slot: &Slot, region: u32) -> bool {
        self.region == region && self.slot.id() == slot.id()
    }
}

/// Two regions of the same priority at one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// Slot and region mapped first.
    pub first: (Arc<str>, Arc<str>),
    /// Slot and region mapped on top.
    pub second: (Arc<str>, Arc<str>),
    /// The first address they share.
    pub address: u64,
}

/// The first overlap of equal priority among mappings.
#[must_use]
pub(super) fn overlap(mappings: &[Mapping]) -> Option<Overlap> {
    let mut sorted: Vec<_> = mappings.iter().collect();
    sorted.sort_by_key(|mapping| (mapping.priority, mapping.base));
    let clash = sorted.windows(2).find_map(|pair| match pair {
        [a, b] if a.priority == b.priority && b.base <= a.last => Some((*a, *b)),
        _ => None,
    })?;
    let named = |mapping: &Mapping| (mapping.slot.name().clone(), mapping.name.clone());
    Some(Overlap { first: named(clash.0), second: named(clash.1), address: clash.1.base })
}

/// Disjoint ranges of addresses in order, each with the mapping that answers.
pub(super) struct Ranges {
    ranges: Vec<Range>,
}

struct Range {
    base: u64,
    last: u64,
    mapping: usize,
}

impl Ranges {
    /// Cuts mappings, which lie in the order in which they were mapped, into
    /// disjoint ranges: at each address the highest priority answers, then the
    /// one mapped last.
    pub(super) fn new(mappings: &[Mapping]) -> Self {
        let mut cuts: Vec<u64> = mappings
            .iter()
            .flat_map(|mapping| [Some(mapping.base), mapping.last.checked_add(1)])
            .flatten()
            .collect();
        cuts.sort_unstable();
        cuts.dedup();
        let mut ranges: Vec<Range> = Vec::new();
        for (index, &base) in cuts.iter().enumerate() {
            let last = cuts.get(index + 1).map_or(u64::MAX, |next| next - 1);
            let covers = |mapping: &Mapping| mapping.base <= base && base <= mapping.last;
            let hits = mappings.iter().enumerate().filter(|(_, mapping)| covers(mapping));
            let Some((mapping, _)) = hits.max_by_key(|(order, m)| (m.priority, *order)) else {
                continue;
            };
            match ranges.last_mut() {
                // The cut was made by a mapping that does not answer here.
                Some(before) if before.mapping == mapping && before.last + 1 == base => {
                    before.last = last;
                }
                _ => ranges.push(Range { base, last, mapping }),
            }
        }
        Self { ranges }
    }

    /// The mapping that answers at an address.
    pub(super) fn find(&self, address: u64) -> Option<usize> {
        let above = self.ranges.partition_point(|range| range.base <= address);
        let range = self.ranges.get(above.checked_sub(1)?)?;
        (address <= range.last).then_some(range.mapping)
    }

    /// The ranges: first address, last address, mapping.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, u64, usize)> {
        self.ranges.iter().map(|range| (range.base, range.last, range.mapping))
    }
}
