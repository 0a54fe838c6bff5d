//! PCI slots.

/// How many buses the select register can name.
const BUSES: usize = 256;

/// One bus: a bit for each of its slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slots {
    /// Something was plugged in.
    pub(crate) up: u32,
    /// Something is to be taken out.
    pub(crate) down: u32,
}

/// The registers at 0xae00.
#[derive(Clone, Debug)]
pub(crate) struct PciHotplug {
    pub(crate) select: u32,
    pub(crate) buses: Vec<Slots>,
    pub(crate) acpi_index: u32,
    /// Slots of bus 0 that can not be emptied.
    fixed: u32,
    /// Whether buses behind bridges can be selected.
    pub(crate) bridges: bool,
}

mod offset {
    pub(super) const UP: u64 = 0x00;
    pub(super) const DOWN: u64 = 0x04;
    pub(super) const EJECT: u64 = 0x08;
    pub(super) const REMOVABLE: u64 = 0x0c;
    pub(super) const SELECT: u64 = 0x10;
    pub(super) const INDEX: u64 = 0x14;
}

impl PciHotplug {
    pub(crate) fn new(bridges: bool, fixed: u32) -> Self {
        Self { select: 0, buses: vec![Slots::default(); BUSES], acpi_index: 0, fixed, bridges }
    }

    /// A system reset carries out pending removals. There is nothing to remove,
    /// so only the requests go. The other registers stay.
    pub(crate) fn reset(&mut self) {
        for Slots { up, down } in &mut self.buses {
            *up &= !*down;
            *down = 0;
        }
    }

    fn selected(&mut self) -> Option<(usize, &mut Slots)> {
        let bus = usize::try_from(self.select).ok()?;
        Some((bus, self.buses.get_mut(bus)?))
    }

    /// Reads a register; nothing is there for a bus that can not be selected.
    pub(crate) fn read(&mut self, offset: u64) -> u32 {
        let (select, fixed, bridges) = (self.select, self.fixed, self.bridges);
        let Some((bus, slots)) = self.selected() else { return 0 };
        match offset {
            // With bridges the guest reads each event once.
            offset::UP if bridges => std::mem::take(&mut slots.up),
            offset::UP => slots.up,
            offset::DOWN => slots.down,
            offset::REMOVABLE if bus == 0 => !fixed,
            offset::REMOVABLE => u32::MAX,
            offset::SELECT => select,
            offset::INDEX => std::mem::take(&mut self.acpi_index),
            _ => 0,
        }
    }

    /// Writes a register. An eject of the lowest slot named completes a request;
    /// the index a guest asks for belongs to a device, and none here has one.
    pub(crate) fn write(&mut self, offset: u64, value: u32) {
        match offset {
            offset::EJECT => {
                // Bus 0 is the only one there is.
                if let Some((0, slots)) = self.selected() {
                    let lowest = value & value.wrapping_neg();
                    slots.up &= !lowest;
                    slots.down &= !lowest;
                }
            }
            offset::SELECT => self.select = if self.bridges { value } else { 0 },
            _ => {}
        }
    }
}
