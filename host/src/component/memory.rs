//! Memory that devices reach: the guest's, and blocks of their own.

use std::ops::Range;
use std::sync::Arc;

use storage::{Direction, Part};
use vm_memory::{
    Bytes as _, GuestAddress, GuestMemoryBackend as _, GuestMemoryMmap, GuestMemoryRegion as _,
    MmapRegion, VolatileMemory as _,
};

/// The guest's RAM as a bus master reaches it. Where there is none, reads give zeros
/// and writes are dropped. Cheap to clone.
#[derive(Clone, Default)]
pub struct GuestRam {
    ram: Option<GuestMemoryMmap>,
}

impl GuestRam {
    /// All of a guest's RAM.
    #[must_use]
    pub const fn new(ram: GuestMemoryMmap) -> Self {
        Self { ram: Some(ram) }
    }

    /// The RAM, by its addresses; none if there is none.
    #[must_use]
    pub const fn memory(&self) -> Option<&GuestMemoryMmap> {
        self.ram.as_ref()
    }

    /// Fills `data` from `address` on.
    pub fn read(&self, address: u64, data: &mut [u8]) {
        data.fill(0);
        self.pieces(address, data.len(), |ram, at, part| {
            // The piece is RAM, so this cannot fail.
            let _ = ram.read_slice(&mut data[part], at);
        });
    }

    /// Writes `data` from `address` on.
    pub fn write(&self, address: u64, data: &[u8]) {
        self.pieces(address, data.len(), |ram, at, part| {
            let _ = ram.write_slice(&data[part], at);
        });
    }

    /// Cuts a range of addresses into the pieces that are RAM.
    fn pieces(
        &self,
        address: u64,
        length: usize,
        mut piece: impl FnMut(&GuestMemoryMmap, GuestAddress, Range<usize>),
    ) {
        let Some(ram) = &self.ram else { return };
        let Some(last) = (length as u64).checked_sub(1) else { return };
        // What would lie beyond the last address is nowhere.
        let last = address.saturating_add(last);
        for region in ram.iter() {
            let start = region.start_addr().0.max(address);
            let end = region.last_addr().0.min(last);
            if start <= end {
                let offset = (start - address) as usize;
                let part = offset..offset + (end - start) as usize + 1;
                piece(ram, GuestAddress(start), part);
            }
        }
    }
}

/// A block of memory that a slot keeps for its device. It outlives the device.
pub struct Block {
    memory: Arc<MmapRegion>,
}

impl Block {
    /// A block of zeros, `size` bytes.
    ///
    /// # Errors
    /// The host has no more memory, or the size is 0.
    pub fn new(size: u64) -> Result<Self, String> {
        let size = usize::try_from(size).map_err(|error| error.to_string())?;
        let memory = MmapRegion::new(size).map_err(|error| error.to_string())?;
        Ok(Self { memory: Arc::new(memory) })
    }

    /// The mapping of this process that holds it.
    #[must_use]
    pub const fn mapping(&self) -> &Arc<MmapRegion> {
        &self.memory
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.memory.size() as u64
    }

    /// Fills `data` from `offset` on, with zeros beyond the end.
    pub fn read(&self, offset: u64, data: &mut [u8]) {
        data.fill(0);
        if let Some((offset, length)) = self.clip(offset, data.len()) {
            let _ = self.memory.as_volatile_slice().read_slice(&mut data[..length], offset);
        }
    }

    /// Writes `data` from `offset` on; what lies beyond the end is dropped.
    pub fn write(&self, offset: u64, data: &[u8]) {
        if let Some((offset, length)) = self.clip(offset, data.len()) {
            let _ = self.memory.as_volatile_slice().write_slice(&data[..length], offset);
        }
    }

    /// Reads `size` (at most 8) bytes, little-endian.
    #[must_use]
    pub fn load(&self, offset: u64, size: u8) -> u64 {
        let mut bytes = [0; 8];
        self.read(offset, &mut bytes[..usize::from(size.min(8))]);
        u64::from_le_bytes(bytes)
    }

    /// Writes `size` (at most 8) bytes, little-endian.
    pub fn store(&self, offset: u64, size: u8, value: u64) {
        self.write(offset, &value.to_le_bytes()[..usize::from(size.min(8))]);
    }

    /// The part of a range that lies in the block, if any.
    fn clip(&self, offset: u64, length: usize) -> Option<(usize, usize)> {
        let offset = usize::try_from(offset).ok()?;
        let room = self.memory.size().checked_sub(offset)?;
        let length = length.min(room);
        (length != 0).then_some((offset, length))
    }
}

impl storage::GuestMemory for GuestRam {
    fn parts<'a>(
        &'a self,
        address: u64,
        length: u64,
        direction: Direction,
        parts: &mut Vec<Part<'a>>,
    ) {
        if let Some(ram) = &self.ram {
            ram.parts(address, length, direction, parts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_zeros_and_drops_writes_where_no_ram_is() {
        let ranges = [(GuestAddress(0), 0x1000), (GuestAddress(0x3000), 0x1000)];
        let ram = GuestRam::new(GuestMemoryMmap::from_ranges(&ranges).expect("memory"));
        ram.write(0xffe, &[1, 2, 3, 4]);
        let mut data = [0xee; 4];
        ram.read(0xffe, &mut data);
        assert_eq!(data, [1, 2, 0, 0]);
        // A piece that spans the hole.
        let pattern: Vec<u8> = (0..0x3000).map(|n| (n % 251) as u8).collect();
        ram.write(0x800, &pattern);
        let mut data = vec![0xee; 0x3000];
        ram.read(0x800, &mut data);
        assert_eq!(data[..0x800], pattern[..0x800]);
        assert!(data[0x800..0x2800].iter().all(|byte| *byte == 0));
        assert_eq!(data[0x2800..], pattern[0x2800..]);
        // Around the last address, and nothing at all.
        ram.write(u64::MAX, &[1, 2]);
        ram.read(u64::MAX - 1, &mut data[..4]);
        assert_eq!(data[..4], [0; 4]);
        data.fill(0xee);
        GuestRam::default().read(0, &mut data[..4]);
        assert_eq!(data[..4], [0; 4]);
    }

    #[test]
    fn a_block_ends_where_it_ends() {
        let block = Block::new(0x1000).expect("memory");
        block.store(0xffc, 8, 0x1122_3344_5566_7788);
        assert_eq!(block.load(0xffc, 8), 0x5566_7788);
        assert_eq!(block.load(u64::MAX, 8), 0);
        block.write(0x1000, &[1]);
        assert_eq!(block.load(0xfff, 1), 0x55);
    }
}
