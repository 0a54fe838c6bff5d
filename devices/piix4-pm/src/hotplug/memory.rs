//! Memory modules. A machine without slots for them has no registers either.

/// One slot.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Dimm {
    pub(crate) is_enabled: bool,
    pub(crate) is_inserting: bool,
    pub(crate) ost_event: u32,
    pub(crate) ost_status: u32,
}

/// The registers at 0xa00.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryHotplug {
    pub(crate) selector: u32,
    pub(crate) slots: Vec<Dimm>,
}

/// What a read finds where no register is.
const NOTHING: u32 = u32::MAX;

impl MemoryHotplug {
    pub(crate) fn new(slots: usize) -> Self {
        Self { selector: 0, slots: vec![Dimm::default(); slots] }
    }

    fn selected(&mut self) -> Option<&mut Dimm> {
        self.slots.get_mut(usize::try_from(self.selector).ok()?)
    }

    /// Reads a register. Base, size and proximity are those of an empty slot.
    pub(crate) fn read(&mut self, offset: u64) -> u32 {
        let Some(slot) = self.selected() else { return 0 };
        match offset {
            0x00 | 0x04 | 0x08 | 0x0c | 0x10 => 0,
            0x14 => u32::from(slot.is_enabled) | u32::from(slot.is_inserting) << 1,
            _ => NOTHING,
        }
    }

    /// Writes a register.
    pub(crate) fn write(&mut self, offset: u64, value: u32) {
        if offset == 0 {
            self.selector = value;
            return;
        }
        let Some(slot) = self.selected() else { return };
        match offset {
            0x04 => slot.ost_event = value,
            0x08 => slot.ost_status = value,
            0x14 if value & 2 != 0 => slot.is_inserting = false,
            _ => {}
        }
    }
}
