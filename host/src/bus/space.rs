//! A processor's address space.

use std::sync::{Arc, Mutex, PoisonError};

use access::{UNASSIGNED, chunk, mask};
use arc_swap::ArcSwap;

use super::map::{Mapping, Overlap, Ranges, overlap};
use super::ports::PortTable;
use crate::component::{Effects, SlotId};
use crate::slot::{Part, Slot};

/// Which parts of an access are the first for their device.
#[derive(Default)]
struct Parts(Option<(SlotId, Part)>);

impl Parts {
    /// What the next call of a device is.
    fn of(&mut self, slot: &Slot) -> &mut Part {
        let known = self.0.take().filter(|(known, _)| *known == slot.id());
        &mut self.0.insert(known.unwrap_or((slot.id(), Part::First))).1
    }
}

/// The two spaces of a processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpaceKind {
    /// 64 Ki I/O ports.
    Port,
    /// Physical addresses of 64 bits.
    Memory,
}

impl SpaceKind {
    /// The last address.
    #[must_use]
    pub const fn last(self) -> u64 {
        match self {
            Self::Port => 0xffff,
            Self::Memory => u64::MAX,
        }
    }
}

/// An address space with the regions mapped into it.
///
/// Accesses read an immutable snapshot and take no lock but the device's own. A
/// change makes a new snapshot; an access that has begun ends with the old one.
pub struct AddressSpace {
    kind: SpaceKind,
    current: ArcSwap<Snapshot>,
    /// The mappings in the order in which they were made; held while a snapshot
    /// is replaced.
    mappings: Mutex<Vec<Mapping>>,
}

struct Snapshot {
    mappings: Vec<Mapping>,
    index: Index,
}

enum Index {
    Ports(PortTable),
    Memory(Ranges),
}

impl Snapshot {
    fn new(kind: SpaceKind, mappings: &[Mapping]) -> Self {
        let ranges = Ranges::new(mappings);
        let index = match kind {
            SpaceKind::Port => Index::Ports(PortTable::new(&ranges)),
            SpaceKind::Memory => Index::Memory(ranges),
        };
        Self { mappings: mappings.to_vec(), index }
    }

    fn find(&self, address: u64) -> Option<&Mapping> {
        let found = match &self.index {
            Index::Ports(table) => table.find(address),
            Index::Memory(ranges) => ranges.find(address),
        };
        self.mappings.get(found?)
    }
}

impl AddressSpace {
    /// A space with nothing in it.
    #[must_use]
    pub fn new(kind: SpaceKind) -> Self {
        let current = ArcSwap::from_pointee(Snapshot::new(kind, &[]));
        Self { kind, current, mappings: Mutex::new(Vec::new()) }
    }

    /// Which space it is.
    #[must_use]
    pub const fn kind(&self) -> SpaceKind {
        self.kind
    }

    /// Reads up to 8 bytes, little-endian. Where nothing is mapped ports read as
    /// ones and memory as zeros, as in QEMU; so do bytes beyond the last port.
    pub fn read(&self, address: u64, size: u8, effects: &mut Effects) -> u64 {
        let snapshot = self.current.load();
        let (mut value, mut parts) = (0, Parts::default());
        self.pieces(&snapshot, address, size, |mapping, at, done, width| {
            let part = match mapping {
                Some(Mapping { slot, backing: Some(block), .. }) => {
                    slot.block(*block).map_or(0, |block| block.load(at, width))
                }
                Some(Mapping { slot, region, rules, .. }) => {
                    let part = parts.of(slot);
                    access::read(rules, at, width, |offset, width| {
                        slot.read(*region, offset, width, part.take(), effects)
                    })
                }
                None if self.kind == SpaceKind::Port && at <= self.kind.last() => mask(width),
                None => 0,
            };
            value |= part << (8 * done);
        });
        value
    }

    /// Writes the low `size` bytes of `value`, at most 8, little-endian. Where nothing is mapped they are dropped.
    pub fn write(&self, address: u64, size: u8, value: u64, effects: &mut Effects) {
        let (snapshot, mut parts) = (self.current.load(), Parts::default());
        self.pieces(&snapshot, address, size, |mapping, at, done, width| {
            let Some(Mapping { slot, region, rules, backing, .. }) = mapping else { return };
            if let Some(block) = *backing {
                slot.write_block(block, at, width, value >> (8 * done) & mask(width));
            } else {
                let (value, part) = (value >> (8 * done) & mask(width), parts.of(slot));
                access::write(rules, at, width, value, |offset, width, value| {
                    slot.write(*region, offset, width, value, part.take(), effects);
                });
            }
        });
    }

    /// Cuts an access into pieces, each for the region at its first byte, or for
    /// nothing: the mapping, the offset in it, the bytes done before and the
    /// piece's width.
    fn pieces(
        &self,
        snapshot: &Snapshot,
        address: u64,
        size: u8,
        mut piece: impl FnMut(Option<&Mapping>, u64, u8, u8),
    ) {
        let mut done = 0;
        while done < size {
            let here = address.wrapping_add(u64::from(done));
            let mapping = snapshot.find(here);
            let (rules, offset) = match mapping {
                Some(mapping) => (&mapping.rules, here - mapping.base),
                None => (&UNASSIGNED, here),
            };
            let width = chunk(rules, offset, u64::from(size - done));
            piece(mapping, offset, done, width);
            done += width;
        }
    }

    /// Maps a region, or moves it.
    pub fn map(&self, mapping: Mapping) {
        self.change(|mappings| {
            mappings.retain(|other| !other.is(&mapping.slot, mapping.region));
            mappings.push(mapping);
        });
    }

    /// Takes a region of a device out of the space.
    pub fn unmap(&self, slot: &Slot, region: u32) {
        self.change(|mappings| mappings.retain(|other| !other.is(slot, region)));
    }

    /// The first two regions of equal priority that share an address.
    #[must_use]
    pub fn overlap(&self) -> Option<Overlap> {
        overlap(&self.current.load().mappings)
    }

    /// All mappings, for people, in the order of their addresses.
    #[must_use]
    pub fn mappings(&self) -> Vec<Mapping> {
        let mut mappings = self.current.load().mappings.clone();
        mappings.sort_by_key(|mapping| (mapping.base, mapping.priority));
        mappings
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Mapping>)) {
        let mut mappings = self.mappings.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut mappings);
        self.current.store(Arc::new(Snapshot::new(self.kind, &mappings)));
    }
}
