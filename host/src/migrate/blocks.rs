//! The blocks of a machine's memory, as QEMU names them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vm_memory::{Bytes as _, GuestMemoryBackend as _, GuestMemoryMmap, GuestRegionMmap};
use vm_memory::{MmapRegion, VolatileMemory as _, VolatileMemoryError};
use vmstate::ram::{Block, PAGE_SIZE};

use super::kept::Kept;
use crate::machine::{DeviceMemory, Machine};
use crate::vm::{Memory, Roms};

/// All RAM: what lies below 4 GiB, then what lies above.
pub(super) const RAM: &str = "pc.ram";
/// The firmware.
const FIRMWARE: &str = "pc.bios";
/// The ROM for option ROMs.
const OPTION_ROMS: &str = "pc.rom";
/// A display's memory, which may have its device's path before its name.
pub(super) const VIDEO_MEMORY: &str = "vga.vram";

/// The memory of a machine in blocks: its RAM and ROMs, and those of other machines
/// that came with a state and are written back with the next.
///
/// A machine has one of these for as long as it lives.
pub struct Blocks {
    own: Vec<Own>,
    kept: Mutex<Arc<Vec<Kept>>>,
}

/// A block of the memory that a machine has: its own, or a device's.
#[derive(Clone)]
pub(super) struct Own {
    pub(super) name: String,
    pub(super) size: u64,
    /// Its parts, one behind the other.
    parts: Vec<Arc<MmapRegion>>,
}

impl Blocks {
    /// The blocks of a machine with this RAM and these ROMs.
    #[must_use]
    pub fn new(ram: &GuestMemoryMmap, roms: &Roms) -> Self {
        let firmware = roms.firmware().map(|rom| Own::guest(FIRMWARE, rom));
        let own = [Own::guest(RAM, ram), Own::guest(OPTION_ROMS, roms.options())];
        Self { own: own.into_iter().chain(firmware).collect(), kept: Mutex::default() }
    }

    /// The blocks of a machine with processors.
    #[must_use]
    pub fn of(memory: &Memory) -> Self {
        Self::new(memory.ram(), memory.roms())
    }

    /// Names and sizes in bytes of the blocks that came with a state and are not of
    /// this machine.
    #[must_use]
    pub fn kept(&self) -> Vec<(String, u64)> {
        self.kept_blocks().iter().map(|block| (block.name().to_owned(), block.size())).collect()
    }

    /// The machine's own blocks and those of its devices.
    pub(super) fn all(&self, machine: &Machine) -> Vec<Own> {
        let mut all = self.own.clone();
        let global = machine.migration().vga_global_vmstate;
        for memory in machine.device_memories() {
            // Two devices on no bus may have blocks of one name: QEMU has no such
            // machine.
            let names = names(&memory, global);
            let free = names.into_iter().find(|name| all.iter().all(|own| own.name != *name));
            all.extend(free.map(|name| Own::device(name, &memory)));
        }
        all
    }

    pub(super) fn kept_blocks(&self) -> Arc<Vec<Kept>> {
        self.lock().clone()
    }

    pub(super) fn keep(&self, kept: Vec<Kept>) {
        *self.lock() = Arc::new(kept);
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Vec<Kept>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a device's block may be called: the first of these names that is free.
fn names(memory: &DeviceMemory<'_>, vga_global_vmstate: bool) -> Vec<String> {
    let DeviceMemory { slot, path, name, .. } = memory;
    let plain =
        (path.is_none() || vga_global_vmstate && name == VIDEO_MEMORY).then(|| name.clone());
    let local = format!("{}/{name}", path.unwrap_or(slot));
    plain.into_iter().chain([local]).collect()
}

impl Own {
    fn guest(name: &str, memory: &GuestMemoryMmap) -> Self {
        let parts: Vec<_> = memory.iter().map(GuestRegionMmap::get_mmap).collect();
        let size = parts.iter().map(|part| part.size() as u64).sum();
        Self { name: name.to_owned(), size, parts }
    }

    fn device(name: String, memory: &DeviceMemory<'_>) -> Self {
        Self { name, size: memory.block.size(), parts: vec![memory.block.mapping().clone()] }
    }

    pub(super) fn block(&self) -> Block {
        Block { name: self.name.clone(), size: self.size, address: None }
    }

    /// Reads part of a page.
    pub(super) fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<(), OutOfBlock> {
        let (part, offset) = self.find(offset)?;
        Ok(part.as_volatile_slice().read_slice(bytes, offset)?)
    }

    /// Writes part of a page.
    pub(super) fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), OutOfBlock> {
        let (part, offset) = self.find(offset)?;
        Ok(part.as_volatile_slice().write_slice(bytes, offset)?)
    }

    /// Makes a page one byte over and over. One that is that already is not written
    /// to, so that memory nobody has used stays unused.
    pub(super) fn fill(&self, offset: u64, byte: u8) -> Result<(), OutOfBlock> {
        let (wanted, mut found) = ([byte; PAGE_SIZE], [0; PAGE_SIZE]);
        self.read(offset, &mut found)?;
        if found == wanted { Ok(()) } else { self.write(offset, &wanted) }
    }

    /// The part in which an offset lies, and where.
    fn find(&self, offset: u64) -> Result<(&MmapRegion, usize), OutOfBlock> {
        let mut left = offset;
        for part in &self.parts {
            let size = part.size() as u64;
            if left < size {
                return Ok((part, usize::try_from(left).map_err(|_| OutOfBlock)?));
            }
            left -= size;
        }
        Err(OutOfBlock)
    }
}

/// An offset that is not in the block, or bytes that go beyond a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("outside the block")]
pub(super) struct OutOfBlock;

impl From<VolatileMemoryError> for OutOfBlock {
    fn from(_: VolatileMemoryError) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::RamLayout;

    const MIB: u64 = 1 << 20;

    #[test]
    fn ram_above_4_gib_follows_the_ram_below() {
        let layout = RamLayout { size: 3 * MIB, below_4g_limit: 2 * MIB, below_4g_split: MIB };
        let ram = layout.allocate().unwrap();
        let blocks = Blocks::new(&ram, &Roms::new(None).unwrap());
        let names: Vec<_> = blocks.own.iter().map(|own| (own.name.as_str(), own.size)).collect();
        assert_eq!(names, [("pc.ram", 3 * MIB), ("pc.rom", 128 << 10)]);
        for (offset, address) in
            [(MIB - 4, MIB - 4), (MIB, 1 << 32), (3 * MIB - 4, (1 << 32) + 2 * MIB - 4)]
        {
            blocks.own[0].write(offset, &[1, 2, 3, 4]).unwrap();
            let mut found = [0; 4];
            ram.read_slice(&mut found, vm_memory::GuestAddress(address)).unwrap();
            assert_eq!(found, [1, 2, 3, 4], "{offset:#x}");
        }
        assert_eq!(blocks.own[0].write(3 * MIB, &[1]), Err(OutOfBlock));
        assert_eq!(blocks.own[0].write(MIB - 2, &[1; 4]), Err(OutOfBlock));
        assert_eq!(blocks.own[0].read(u64::MAX, &mut [0]), Err(OutOfBlock));
    }
}
