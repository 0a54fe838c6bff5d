//! The guest's memory, as drives reach it.

use vm_memory::{
    Address, GuestAddress, GuestMemoryBackend, GuestMemoryMmap, GuestMemoryRegion,
    MemoryRegionAddress,
};

use crate::backend::Buffer;

/// Which way data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Into the guest's memory.
    ToMemory,
    /// Out of the guest's memory.
    FromMemory,
}

/// What is at an address.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// Memory that may be accessed in the direction asked for.
    Memory(Buffer<'a>),
    /// So many bytes of nothing: they read as zeros, and writes are dropped.
    Nothing(u64),
}

/// Memory of a guest that runs meanwhile.
pub trait GuestMemory: Send + Sync {
    /// Appends what is at `length` bytes from `address` to `parts`, in order.
    ///
    /// Where the parts do not cover the length, the rest is nothing; what goes
    /// beyond it is not used. The rules of a device's `dma` grant are applied
    /// here.
    fn parts<'a>(
        &'a self,
        address: u64,
        length: u64,
        direction: Direction,
        parts: &mut Vec<Part<'a>>,
    );
}

impl GuestMemory for GuestMemoryMmap<()> {
    fn parts<'a>(
        &'a self,
        mut address: u64,
        mut length: u64,
        _direction: Direction,
        parts: &mut Vec<Part<'a>>,
    ) {
        while length > 0 {
            let here = self.find_region(GuestAddress(address)).and_then(|region| {
                let start = address - region.start_addr().raw_value();
                let take = length.min(region.len() - start);
                let take_bytes = usize::try_from(take).ok()?;
                let slice = region.get_slice(MemoryRegionAddress(start), take_bytes).ok()?;
                Some((take, Part::Memory(slice)))
            });
            let (take, part) = here.unwrap_or_else(|| {
                let starts = self.iter().map(|region| region.start_addr().raw_value());
                let next = starts.filter(|start| *start > address).min();
                let gap = next.map_or(length, |next| length.min(next - address));
                (gap, Part::Nothing(gap))
            });
            parts.push(part);
            length -= take;
            // Nothing lies beyond the last address.
            let Some(next) = address.checked_add(take) else { return };
            address = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(memory: &dyn GuestMemory, address: u64, length: u64) -> Vec<(bool, u64)> {
        let mut parts = Vec::new();
        memory.parts(address, length, Direction::ToMemory, &mut parts);
        let shape = |part: &Part<'_>| match part {
            Part::Memory(buffer) => (true, buffer.len() as u64),
            Part::Nothing(length) => (false, *length),
        };
        parts.iter().map(shape).collect()
    }

    #[test]
    fn regions_and_gaps_come_in_order() {
        let ranges = [(GuestAddress(0x1000), 0x1000), (GuestAddress(0x4000), 0x1000)];
        let memory = GuestMemoryMmap::<()>::from_ranges(&ranges).unwrap();
        assert_eq!(shape(&memory, 0x1800, 0x100), [(true, 0x100)]);
        assert_eq!(
            shape(&memory, 0, 0x10000),
            [(false, 0x1000), (true, 0x1000), (false, 0x2000), (true, 0x1000), (false, 0xb000)]
        );
        assert_eq!(shape(&memory, 0x1000, 0), []);
        assert_eq!(shape(&memory, u64::MAX, 1), [(false, 1)]);
        assert_eq!(shape(&memory, u64::MAX, u64::MAX), [(false, u64::MAX)]);
    }
}
