//! The DMA interface: a structure in the guest's memory says what to do.

use southbridge_sdk::Context;

use crate::FwCfg;
use crate::content::clear;
use crate::regs::Control;

/// Bytes of the structure: control, length, address, all of them big-endian.
const STRUCTURE: u32 = 16;

impl FwCfg {
    /// Does what the structure at `dma_addr` says, at once, and then writes its
    /// control field: zero, or the error bit alone.
    pub(crate) fn transfer(&mut self, cx: &mut Context<'_>) {
        let at = std::mem::take(&mut self.dma_addr);
        let done = self.ram.holds(at, STRUCTURE) && self.perform(cx, at);
        let control = Control::new().with_error(!done);
        cx.dma_write(at, &control.into_bits().to_be_bytes());
    }

    /// Returns whether all went well. What was moved before an error stays moved.
    fn perform(&mut self, cx: &mut Context<'_>, at: u64) -> bool {
        let structure = cx.dma_read(at, STRUCTURE);
        let Ok(structure) = <[u8; STRUCTURE as usize]>::try_from(structure) else { return false };
        let structure = u128::from_be_bytes(structure);
        let control = Control::from_bits((structure >> 96) as u32);
        let (length, address) = ((structure >> 64) as u32, structure as u64);

        if control.select() {
            self.select(control.selector());
        }
        // Reading goes before writing, and writing before skipping.
        if length == 0 {
            true
        } else if control.read() {
            self.read_to(cx, address, length)
        } else if control.write() {
            // Of the entries a PC has, none can be written. QEMU finds out at the
            // end, behind what would have been written.
            self.skip(length);
            false
        } else {
            if control.skip() {
                self.skip(length);
            }
            true
        }
    }

    /// The rest of the entry, then zeros: an error in the first keeps the second
    /// from being written.
    fn read_to(&mut self, cx: &mut Context<'_>, address: u64, length: u32) -> bool {
        let (at, part) = (self.cur_offset, self.left().min(length));
        if part > 0 {
            if let Some(content) = self.entries.get(self.cur_entry) {
                let (passed, address) = past_the_end(address, part);
                content.copy(cx, at.saturating_add(passed), address, part - passed);
            }
            self.skip(part);
            if !self.ram.holds(address, part) {
                return false;
            }
        }
        let zeros = length - part;
        if zeros > 0 {
            let address = address.wrapping_add(part.into());
            let (passed, reached) = past_the_end(address, zeros);
            clear(cx, reached, zeros - passed);
            return self.ram.holds(address, zeros);
        }
        true
    }

    fn skip(&mut self, length: u32) {
        self.cur_offset = self.cur_offset.saturating_add(self.left().min(length));
    }
}

/// A transfer that goes past the last address goes on at address 0. Returns how many
/// bytes come before that, where no RAM can be, and the address of what remains.
fn past_the_end(address: u64, length: u32) -> (u32, u64) {
    match u32::try_from(address.wrapping_neg()) {
        Ok(before) if address != 0 && before < length => (before, 0),
        _ => (0, address),
    }
}
