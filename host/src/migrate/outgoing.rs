//! A whole machine to a stream: guest memory, then the devices.
//!
//! The machine stands still from before its memory is read until the end: nothing
//! here tells which pages have changed meanwhile.

use std::io::{self, Write};
use std::sync::Arc;

use vmstate::ram::{Block, MemoryWriter, PAGE_SIZE};
use vmstate::{Framing, Stream};

use super::Progress;
use super::Stopped;
use super::blocks::{Blocks, Own};
use super::kept::Kept;
use super::save::free_id;
use crate::machine::{self, Machine};

/// Why a machine is not saved.
#[derive(Debug, thiserror::Error)]
pub enum NotSaved {
    /// A device has no state.
    #[error(transparent)]
    Machine(#[from] machine::Error),
    /// The stream cannot be written.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

/// Saves a machine that stands still, with its memory: the stream that QEMU's
/// command `migrate` writes for a machine of that type. It takes constant memory.
///
/// # Errors
/// A device has no state (nothing is written then), or `sink` refuses.
pub fn save(
    machine: &Machine,
    blocks: &Blocks,
    stopped: &Stopped,
    sink: &mut dyn Write,
    progress: &Progress,
) -> Result<(), NotSaved> {
    let outgoing = Outgoing::new(machine, blocks, stopped)?;
    outgoing.write_memory(sink, progress)?;
    outgoing.write_devices(sink, progress)?;
    Ok(())
}

/// A machine that is being saved: its devices have said their state.
pub(super) struct Outgoing {
    stream: Stream,
    memory: Vec<Memory>,
    id: u32,
    framing: Framing,
}

/// A block of memory.
enum Memory {
    Own(Own),
    Kept(Arc<Vec<Kept>>, usize),
}

impl Memory {
    fn block(&self) -> Block {
        match self {
            Self::Own(own) => own.block(),
            Self::Kept(kept, number) => kept[*number].block(),
        }
    }

    fn read(&self, offset: u64, page: &mut [u8]) -> io::Result<()> {
        match self {
            Self::Own(own) => own.read(offset, page).map_err(io::Error::other),
            Self::Kept(kept, number) => {
                match kept[*number].page(offset) {
                    Some(found) => page.copy_from_slice(found),
                    None => page.fill(0),
                }
                Ok(())
            }
        }
    }
}

impl Outgoing {
    pub(super) fn new(
        machine: &Machine,
        blocks: &Blocks,
        stopped: &Stopped,
    ) -> Result<Self, machine::Error> {
        let mut stream = machine.save_stream_as(stopped)?;
        if let Some(configuration) = &mut stream.configuration {
            // They say how a stream is sent, and this one is sent plainly.
            configuration.capabilities = None;
        }
        let migration = machine.migration();
        let framing = Framing {
            footers: migration.send_section_footer,
            switchover_start: migration.send_switchover_start,
        };
        let sections = &stream.devices.sections;
        let before = machine.origin().and_then(|origin| origin.live.id);
        let is_free = |id: &u32| !sections.iter().any(|section| section.id == *id);
        let id = before.filter(is_free).unwrap_or_else(|| free_id(sections));
        let kept = blocks.kept_blocks();
        let foreign = (0..kept.len()).map(|number| Memory::Kept(kept.clone(), number));
        let mut memory: Vec<_> =
            blocks.all(machine).into_iter().map(Memory::Own).chain(foreign).collect();
        // As QEMU lists them.
        memory.sort_by_key(|memory| std::cmp::Reverse(memory.block().size));
        Ok(Self { stream, memory, id, framing })
    }

    /// Writes all that comes before the devices.
    pub(super) fn write_memory(&self, sink: &mut dyn Write, progress: &Progress) -> io::Result<()> {
        let blocks: Vec<_> = self.memory.iter().map(Memory::block).collect();
        let total = blocks.iter().map(|block| block.size).sum();
        let sizes: Vec<_> = blocks.iter().map(|block| block.size).collect();
        progress.begin(total);
        let mut send = |bytes: &[u8]| {
            sink.write_all(bytes)?;
            progress.transfer(bytes.len());
            io::Result::Ok(())
        };
        let mut writer = MemoryWriter::new(self.id, self.framing, blocks);
        send(&self.stream.head())?;
        send(&writer.start())?;
        let mut remaining = total;
        for (number, (memory, size)) in self.memory.iter().zip(sizes).enumerate() {
            for offset in (0..size).step_by(PAGE_SIZE) {
                let mut read = Ok(());
                writer.page(number, offset, |page| read = memory.read(offset, page));
                read?;
                remaining = remaining.saturating_sub(PAGE_SIZE as u64);
                if writer.is_full() {
                    send(writer.piece())?;
                    progress.set_pages(writer.pages(), writer.zero_pages(), remaining);
                }
            }
        }
        send(writer.piece())?;
        progress.set_pages(writer.pages(), writer.zero_pages(), remaining);
        send(&writer.end())
    }

    /// Writes the devices and the end of the stream.
    pub(super) fn write_devices(
        &self,
        sink: &mut dyn Write,
        progress: &Progress,
    ) -> io::Result<()> {
        let bytes = self.stream.devices.write();
        sink.write_all(&bytes)?;
        sink.flush()?;
        progress.transfer(bytes.len());
        Ok(())
    }
}
