//! The guest's memory, the device's own, and files for the guest.

use std::sync::Arc;

use super::tape::Question;
use super::{Outside, contract};
use crate::component::{Block, Effect};

/// Most bytes that a device reads of the guest's memory at once.
pub(super) const MOST_DMA: u32 = 1 << 16;

/// Most bytes that a device reads of its own memory at once.
const MOST_OF_BLOCK: u32 = 16 << 20;

/// What is read in a width that there is not.
fn is_width(size: u8) -> bool {
    matches!(size, 1 | 2 | 4 | 8)
}

impl contract::dma::Host for Outside {
    fn load(&mut self, address: u64, size: u8) -> u64 {
        self.ask(
            || Question::MemoryLoad { address, size },
            |outside| {
                let mut bytes = [0; 8];
                if is_width(size) {
                    outside.resources.ram.read(address, &mut bytes[..size.into()]);
                }
                u64::from_le_bytes(bytes)
            },
        )
    }

    fn read(&mut self, address: u64, length: u32) -> Vec<u8> {
        let length = length.min(MOST_DMA);
        self.ask(
            || Question::MemoryRead { address, length },
            |outside| {
                let mut data = vec![0; length as usize];
                outside.resources.ram.read(address, &mut data);
                data
            },
        )
    }

    fn write(&mut self, address: u64, data: Vec<u8>) {
        self.record(Effect::DmaWrite { address, data: data.into() });
    }

    fn message(&mut self, address: u64, data: u32) {
        self.record(Effect::Message { address, data });
    }
}

impl Outside {
    /// The block of that number; a number there is not is counted, unless the device
    /// is in no machine and has none.
    fn block(&mut self, memory: u32) -> Option<&Block> {
        let blocks = self.resources.memories.len();
        if memory as usize >= blocks && blocks != 0 {
            self.violate(&format_args!("block of memory {memory}"));
        }
        self.resources.memories.get(memory as usize)
    }

    fn file(&self, file: u32) -> Option<&(String, Arc<[u8]>)> {
        self.resources.files.get(file as usize)
    }
}

impl contract::memories::Host for Outside {
    fn load(&mut self, memory: u32, offset: u64, size: u8) -> u64 {
        self.block(memory).filter(|_| is_width(size)).map_or(0, |block| block.load(offset, size))
    }

    fn store(&mut self, memory: u32, offset: u64, size: u8, value: u64) {
        if let Some(block) = self.block(memory).filter(|_| is_width(size)) {
            block.store(offset, size, value);
        }
    }

    fn read(&mut self, memory: u32, offset: u64, length: u32) -> Vec<u8> {
        let mut data = vec![0; length.min(MOST_OF_BLOCK) as usize];
        if let Some(block) = self.block(memory) {
            block.read(offset, &mut data);
        }
        data
    }

    fn write(&mut self, memory: u32, offset: u64, data: Vec<u8>) {
        if let Some(block) = self.block(memory) {
            block.write(offset, &data);
        }
    }
}

impl contract::files::Host for Outside {
    fn count(&mut self) -> u32 {
        self.resources.files.len() as u32
    }

    fn name(&mut self, file: u32) -> String {
        self.file(file).map(|(name, _)| name.clone()).unwrap_or_default()
    }

    fn size(&mut self, file: u32) -> u64 {
        self.file(file).map_or(0, |(_, data)| data.len() as u64)
    }

    fn load(&mut self, file: u32, offset: u64, size: u8) -> u64 {
        let data = self.file(file).filter(|_| is_width(size)).map(|(_, data)| data);
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let part = data.and_then(|data| data.get(start..)).unwrap_or_default();
        let part = &part[..part.len().min(size.into())];
        part.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }

    fn copy_to_memory(&mut self, file: u32, offset: u64, address: u64, length: u32) {
        self.record(Effect::CopyFile { file, offset, address, length });
    }
}
