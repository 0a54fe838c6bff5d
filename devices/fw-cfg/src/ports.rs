//! The selector, the data register, and the address of the DMA interface.

use southbridge_sdk::Context;

use crate::FwCfg;
use crate::regs::Selector;

/// What the address register of the DMA interface reads as: `QEMU CFG`.
const DMA_SIGNATURE: u64 = u64::from_be_bytes(*b"QEMU CFG");

impl FwCfg {
    pub(crate) fn select(&mut self, key: u16) {
        let selector = Selector::from_bits(key);
        self.cur_offset = 0;
        self.cur_entry = if self.entries.has(selector) { selector } else { Selector::INVALID };
    }

    /// Bytes of the selected entry that have not been read yet.
    pub(crate) fn left(&self) -> u32 {
        let length = self.entries.get(self.cur_entry).map_or(0, crate::content::Content::len);
        length.saturating_sub(self.cur_offset)
    }

    /// Both ports read as the data register, a byte at a time; any other width
    /// reads as zero.
    pub(crate) fn read_data(&mut self, cx: &mut Context<'_>, size: u8) -> u8 {
        let at = self.cur_offset;
        match self.entries.get(self.cur_entry) {
            Some(content) if size == 1 && at < content.len() => {
                self.cur_offset += 1;
                content.byte(cx, at)
            }
            _ => 0,
        }
    }

    /// Two bytes at once select, whichever port they begin at; QEMU has given up
    /// writing through the data register.
    pub(crate) fn write_selector(&mut self, size: u8, value: u64) {
        if size == 2 {
            self.select(value as u16);
        }
    }

    /// The register is big-endian.
    pub(crate) fn read_dma(offset: u64, size: u8) -> u64 {
        let bytes = DMA_SIGNATURE.to_be_bytes();
        let from = (offset as usize).min(bytes.len());
        let part = bytes[from..].iter().take(size.into());
        part.rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }

    /// Writing the lower half, or all of it, starts the transfer.
    pub(crate) fn write_dma(&mut self, cx: &mut Context<'_>, offset: u64, size: u8, value: u64) {
        match (offset, size) {
            (0, 4) => self.dma_addr = u64::from((value as u32).swap_bytes()) << 32,
            (4, 4) => {
                self.dma_addr |= u64::from((value as u32).swap_bytes());
                self.transfer(cx);
            }
            (0, 8) => {
                self.dma_addr = value.swap_bytes();
                self.transfer(cx);
            }
            _ => {}
        }
    }
}
