//! The saved state: QEMU's section ioapic.

use southbridge_sdk::state::{Condition, Sections, Shape};

use crate::IoApic;
use crate::pins::{MOST_REPEATS, PINS, Pins};
use crate::regs::{Entry, ID_BITS};

const SECTION: Shape = Shape::new("ioapic", 3, 1);

/// Declares the section. QEMU does not save what it does against storms.
pub(crate) fn declare(device: &mut IoApic, sections: &mut Sections<'_>) {
    let IoApic { version: _, id, select, pins } = device;
    let Pins { entries, irr, repeats, wakes } = pins;
    sections.section(SECTION, Condition::ALWAYS, |f| {
        f.u8("id", id);
        f.check(*id & !ID_BITS == 0, || format!("{id:#x} found, at most {ID_BITS:#x} expected"));
        f.u8("ioregsel", select);
        f.since(2, |f| {
            f.unused(8);
            f.u32("irr", irr);
            f.check(*irr >> PINS == 0, || format!("{irr:#x} found, {PINS} bits expected"));
        });
        let mut raw = entries.map(Entry::into_bits);
        f.u64s("ioredtbl", &mut raw);
        *entries = raw.map(Entry::from_bits);
        f.private(|f| {
            f.u32s("repeats", repeats);
            let legal = repeats.iter().all(|&count| count <= MOST_REPEATS);
            f.check(legal, || format!("{repeats:?} found, at most {MOST_REPEATS} expected"));
            f.timer("wakes", wakes);
        });
    });
}
