//! Memory that devices reach: the guest's, and blocks of their own.

use std::ops::Range;
use std::sync::Arc;

use storage::{Direction, Part};
use vm_memory::{
    Bytes as _, GuestAddress, GuestMemoryBackend as _, GuestMemoryMmap, GuestMemoryRegion as _,
    MmapRegion, VolatileMemory as _,
};

use super::DmaWindow;

/// The guest's RAM as a bus master reaches it. Where there is none, and outside its
/// windows, reads give zeros and writes are dropped. By default there is none. Cheap to
/// clone.
#[derive(Clone, Default)]
pub struct GuestRam {
    ram: Option<GuestMemoryMmap>,
    /// In order, and none touches another.
    windows: Arc<[DmaWindow]>,
}

impl GuestRam {
    /// All of a guest's RAM.
    #[must_use]
    pub fn new(ram: GuestMemoryMmap) -> Self {
        Self { ram: Some(ram), windows: Arc::new([DmaWindow::ALL]) }
    }

    /// The same RAM, as far as it lies in these windows.
    #[must_use]
    pub fn within(&self, windows: impl IntoIterator<Item = DmaWindow>) -> Self {
        Self { ram: self.ram.clone(), windows: DmaWindow::merged(windows).into() }
    }

    /// Whether all of a range lies in one of the windows, RAM or not.
    #[must_use]
    pub fn reaches(&self, range: DmaWindow) -> bool {
        self.windows.iter().any(|window| window.and(range) == Some(range))
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
        for window in self.windows_in(address, length as u64) {
            for region in ram.iter() {
                let region = DmaWindow::new(region.start_addr().0, region.len());
                let Some(here) = region.and_then(|region| region.and(window)) else { continue };
                let offset = (here.start() - address) as usize;
                let part = offset..offset + (here.last() - here.start()) as usize + 1;
                piece(ram, GuestAddress(here.start()), part);
            }
        }
    }

    /// What the windows leave of a range, in order.
    fn windows_in(&self, address: u64, length: u64) -> impl Iterator<Item = DmaWindow> + '_ {
        // What would lie beyond the last address is nowhere.
        let most = (u64::MAX - address).saturating_add(1);
        let range = DmaWindow::new(address, length.min(most));
        self.windows.iter().filter_map(move |window| window.and(range?))
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
        let Some(ram) = &self.ram else { return };
        let mut next = address;
        for window in self.windows_in(address, length) {
            let gap = window.start() - next;
            if gap != 0 {
                parts.push(Part::Nothing(gap));
            }
            // Only a range that begins at 0 can be one byte longer than can be said.
            let size = (window.last() - window.start()).saturating_add(1);
            ram.parts(window.start(), size, direction, parts);
            next = window.last().wrapping_add(1);
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
    fn windows_end_where_they_end() {
        let ram = GuestMemoryMmap::from_ranges(&[(GuestAddress(0), 0x4000)]).expect("memory");
        let all = GuestRam::new(ram);
        all.write(0, &[0x11; 0x4000]);
        let window = |start, size| DmaWindow::new(start, size).unwrap();
        // Two windows, and one that is half outside of the RAM.
        let windows = [window(0x3800, 0x1000), window(0x1000, 0x10), window(0x1020, 1)];
        let ram = all.within(windows);
        let read = |ram: &GuestRam, address, length| {
            let mut data = vec![0xee; length];
            ram.read(address, &mut data);
            data
        };
        assert_eq!(read(&ram, 0xffe, 4), [0, 0, 0x11, 0x11]);
        assert_eq!(read(&ram, 0x100e, 4), [0x11, 0x11, 0, 0]);
        assert_eq!(read(&ram, 0x101f, 3), [0, 0x11, 0]);
        assert_eq!(read(&ram, 0x37ff, 2), [0, 0x11]);
        assert_eq!(read(&ram, 0x3fff, 2), [0x11, 0]);
        assert_eq!(read(&ram, 0x47ff, 2), [0, 0]);
        assert_eq!(read(&ram, u64::MAX, 2), [0, 0]);

        ram.write(0xff0, &[0x22; 0x50]);
        let mut expected = [0x11; 0x50];
        expected[0x10..0x20].fill(0x22);
        expected[0x30] = 0x22;
        assert_eq!(read(&all, 0xff0, 0x50), expected);
        ram.write(u64::MAX - 7, &[0x33; 16]);
        assert_eq!(read(&all, 0, 16), [0x11; 16]);

        assert!(ram.reaches(window(0x1000, 0x10)) && ram.reaches(window(0x47ff, 1)));
        for outside in [window(0xfff, 2), window(0x100f, 2), window(0x100f, 0x12)] {
            assert!(!ram.reaches(outside), "{outside}");
        }
    }

    #[test]
    fn drives_reach_no_further() {
        let ram = GuestMemoryMmap::from_ranges(&[(GuestAddress(0x1000), 0x3000)]);
        let ram = GuestRam::new(ram.expect("memory"));
        let windows = [(0, 0x1800), (0x2000, 0x10), (0xffff_ffff_ffff_fff0, 0x10)];
        let ram = ram.within(windows.map(|(start, size)| DmaWindow::new(start, size).unwrap()));
        let shape = |address, length| {
            let mut parts = Vec::new();
            storage::GuestMemory::parts(&ram, address, length, Direction::ToMemory, &mut parts);
            let shape = |part: &Part<'_>| match part {
                Part::Memory(buffer) => (true, buffer.len() as u64),
                Part::Nothing(length) => (false, *length),
            };
            parts.iter().map(shape).collect::<Vec<_>>()
        };
        let all = [(false, 0x1000), (true, 0x800), (false, 0x800), (true, 0x10)];
        assert_eq!(shape(0, 0x4000), all);
        assert_eq!(shape(0x17ff, 2), [(true, 1)]);
        assert_eq!(shape(0x1800, 0x800), []);
        assert_eq!(shape(0x1fff, 2), [(false, 1), (true, 1)]);
        assert_eq!(shape(0x200f, 0x100), [(true, 1)]);
        assert_eq!(shape(u64::MAX, 2), [(false, 1)]);
        assert_eq!(shape(0x1000, 0), []);
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
