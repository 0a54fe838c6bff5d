//! Processors: a bitmap of those present, or registers that a guest switches
//! to by a write of zero to the bitmap.

use southbridge_sdk::Context;
use southbridge_sdk::wit::Level;

/// Bytes of the bitmap.
pub(crate) const BITMAP_SIZE: usize = 32;

/// One processor.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cpu {
    pub(crate) is_inserting: bool,
    pub(crate) is_removing: bool,
    pub(crate) fw_remove: bool,
    pub(crate) ost_event: u32,
    pub(crate) ost_status: u32,
}

impl Cpu {
    const fn has_event(self) -> bool {
        self.is_inserting || self.is_removing || self.fw_remove
    }
}

/// The registers at 0xaf00, in both forms.
#[derive(Clone, Debug)]
pub(crate) struct CpuHotplug {
    /// The bitmap answers.
    pub(crate) legacy: bool,
    pub(crate) selector: u32,
    pub(crate) command: u8,
    /// The processors present. Processor `n` has the APIC ID `n`.
    pub(crate) cpus: Vec<Cpu>,
}

mod offset {
    pub(super) const SELECTOR_OR_DATA2: u64 = 0;
    pub(super) const FLAGS: u64 = 4;
    pub(super) const COMMAND: u64 = 5;
    pub(super) const DATA: u64 = 8;
}

mod command {
    pub(super) const NEXT_WITH_EVENT: u8 = 0;
    pub(super) const OST_EVENT: u8 = 1;
    pub(super) const OST_STATUS: u8 = 2;
    pub(super) const ARCH_ID: u8 = 3;
}

impl CpuHotplug {
    pub(crate) fn new(cpus: usize) -> Self {
        // What the bitmap can not hold QEMU shows in the registers only.
        let legacy = cpus <= 8 * BITMAP_SIZE;
        Self { legacy, selector: 0, command: 0, cpus: vec![Cpu::default(); cpus] }
    }

    /// Reads a byte of the bitmap.
    pub(crate) fn read_bitmap(&self, offset: u64) -> u8 {
        let first = usize::try_from(offset).unwrap_or(BITMAP_SIZE).saturating_mul(8);
        let present = self.cpus.len().saturating_sub(first).min(8);
        ((1_u16 << present) - 1) as u8
    }

    /// Writes the bitmap. Returns whether this switches to the registers.
    pub(crate) fn write_bitmap(&mut self, offset: u64, value: u8) -> bool {
        let switches = self.legacy && offset == 0 && value == 0;
        self.legacy &= !switches;
        switches
    }

    fn selected(&mut self) -> Option<(usize, &mut Cpu)> {
        let index = usize::try_from(self.selector).ok()?;
        Some((index, self.cpus.get_mut(index)?))
    }

    /// Reads a register; nothing is there for a processor that is not.
    pub(crate) fn read(&mut self, offset: u64) -> u32 {
        let (selector, command) = (self.selector, self.command);
        let Some((_, cpu)) = self.selected() else { return 0 };
        match (offset, command) {
            (offset::FLAGS, _) => {
                let Cpu { is_inserting, is_removing, fw_remove, .. } = *cpu;
                let flags = [true, is_inserting, is_removing, false, fw_remove];
                flags.into_iter().rev().fold(0, |all, flag| all << 1 | u32::from(flag))
            }
            (offset::DATA, command::NEXT_WITH_EVENT | command::ARCH_ID) => selector,
            // DATA2, the upper half of an APIC ID, is zero.
            _ => 0,
        }
    }

    /// Writes a register.
    pub(crate) fn write(&mut self, cx: &mut Context<'_>, offset: u64, value: u32) {
        if offset == offset::SELECTOR_OR_DATA2 {
            self.selector = value;
            return;
        }
        let current = self.command;
        let Some((index, cpu)) = self.selected() else { return };
        match (offset, current) {
            (offset::FLAGS, _) => control(cx, index, cpu, value),
            (offset::COMMAND, _) => {
                if let Ok(command @ command::NEXT_WITH_EVENT..=command::ARCH_ID) = value.try_into()
                {
                    self.command = command;
                    if command == command::NEXT_WITH_EVENT {
                        self.select_next_event(index);
                    }
                }
            }
            (offset::DATA, command::OST_EVENT) => cpu.ost_event = value,
            (offset::DATA, command::OST_STATUS) => cpu.ost_status = value,
            _ => {}
        }
    }

    /// Selects the first processor with an event, beginning with the one
    /// selected; none, and the selection stays.
    fn select_next_event(&mut self, from: usize) {
        let count = self.cpus.len();
        let mut order = (from..count).chain(0..from);
        if let Some(next) = order.find(|&index| self.cpus[index].has_event()) {
            self.selector = next as u32;
        }
    }
}

/// A write to the flags: the lowest bit set counts.
fn control(cx: &mut Context<'_>, index: usize, cpu: &mut Cpu, value: u32) {
    if value & 2 != 0 {
        cpu.is_inserting = false;
    } else if value & 4 != 0 {
        cpu.is_removing = false;
    } else if value & 8 != 0 {
        // QEMU takes the processor out, whether or not somebody asked for it.
        cx.log(Level::Warn, "the guest ejects a processor: not supported, it stays");
    } else if value & 16 != 0 && index != 0 {
        cpu.fw_remove = !cpu.fw_remove;
    }
}
