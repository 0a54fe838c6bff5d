//! Ports and memory for tests of virtual machine monitors: QEMU's `pc-testdev`, which
//! kvm-unit-tests use.
//!
//! - ports 0xe0 to 0xe3, and again 0xe8 to 0xeb: four bytes that keep what is written;
//! - ports 0xe4 to 0xe7: a page that a guest names there is to be touched by the
//!   monitor, which changes nothing;
//! - ports 0x2000 to 0x2017: the level of interrupt 0 to 15 (QEMU ends itself at the
//!   others);
//! - 64 KiB of memory from 0xff00_0000 on, each access to which the monitor sees.
//!
//! As in QEMU a reset changes nothing, and QEMU's stream holds nothing of it.

use southbridge_sdk::state::{Condition, Sections, Shape};
use southbridge_sdk::wit::{AccessSizes, Attachment, Description};
use southbridge_sdk::{Context, Device, Properties, describe};

/// The regions.
const DATA: u32 = 0;
const FLUSH: u32 = 1;
const DATA_BYTES: u32 = 2;
const INTERRUPTS: u32 = 3;
const MEMORY: u32 = 4;
const BASES: [(u32, u64); 5] =
    [(DATA, 0xe0), (FLUSH, 0xe4), (DATA_BYTES, 0xe8), (INTERRUPTS, 0x2000), (MEMORY, 0xff00_0000)];

const LINES: u32 = 16;
const MEMORY_SIZE: usize = 0x1_0000;

/// Not QEMU's: it saves nothing.
const SECTION: Shape = Shape::new("pc-testdev", 1, 1);

/// The device.
#[derive(Debug)]
pub struct PcTestdev {
    data: [u8; 4],
    memory: Vec<u8>,
    /// A bit for each line.
    levels: u16,
}

impl Device for PcTestdev {
    fn describe() -> Description {
        let summary = "Ports and memory for tests of virtual machine monitors";
        let version = env!("CARGO_PKG_VERSION");
        let (words, bytes) = (describe::aligned(1, 4), describe::aligned(1, 1));
        let any = AccessSizes { unaligned: true, ..words };
        Description {
            regions: vec![
                describe::ports("data", 4, words, words),
                describe::ports("flush", 4, words, words),
                describe::ports("data-bytes", 4, words, bytes),
                describe::ports("interrupts", 24, words, bytes),
                describe::memory("memory", MEMORY_SIZE as u64, any, any),
            ],
            lines: (0..LINES).map(|line| describe::output(format!("irq{line}"))).collect(),
            ..describe::device("pc-testdev", version, summary, Attachment::System)
        }
    }

    fn configure(_properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        BASES.into_iter().for_each(|(region, base)| cx.map(region, base, 0));
        Ok(Self { data: [0; 4], memory: vec![0; MEMORY_SIZE], levels: 0 })
    }

    fn reset(&mut self, _cx: &mut Context<'_>) {}

    fn io_read(&mut self, _cx: &mut Context<'_>, region: u32, offset: u64, size: u8) -> u64 {
        self.bytes(region).map_or(0, |bytes| {
            let bytes = bytes.iter().skip(offset as usize).take(size.into()).rev();
            bytes.fold(0, |value, byte| value << 8 | u64::from(*byte))
        })
    }

    fn io_write(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, size: u8, value: u64) {
        if let Some(bytes) = self.bytes(region) {
            let bytes = bytes.iter_mut().skip(offset as usize).take(size.into());
            bytes.zip(value.to_le_bytes()).for_each(|(byte, new)| *byte = new);
        } else if region == INTERRUPTS && offset < LINES.into() {
            let (line, level) = (offset as u32, value as u8 != 0);
            let bit = 1 << line;
            self.levels = if level { self.levels | bit } else { self.levels & !bit };
            cx.set_line(line, level);
        }
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        let Self { data, memory, levels } = self;
        sections.section(SECTION, Condition::NEVER, |f| {
            f.buffer("data", "buffer", data);
            f.buffer("memory", "buffer", memory);
            f.u16("levels", levels);
        });
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        (0..LINES).for_each(|line| cx.set_line(line, self.levels & 1 << line != 0));
        Ok(())
    }
}

impl PcTestdev {
    /// What a region keeps.
    fn bytes(&mut self, region: u32) -> Option<&mut [u8]> {
        match region {
            DATA | DATA_BYTES => Some(&mut self.data),
            MEMORY => Some(&mut self.memory),
            _ => None,
        }
    }
}

southbridge_sdk::export!(PcTestdev);

#[cfg(test)]
mod tests;
