//! The saved state: QEMU's sections PCIHost, PCIBUS and I440FX.

use southbridge_sdk::state::{Condition, Fields, Sections, Shape};

use crate::I440fx;
use crate::interrupts::{Interrupts, PINS, Wiring};

const HOST: Shape = Shape::new("PCIHost", 1, 1);
const BUS: Shape = Shape::new("PCIBUS", 1, 1);
const BRIDGE: Shape = Shape::new("I440FX", 3, 3);

/// Declares the sections.
pub(crate) fn declare(device: &mut I440fx, sections: &mut Sections<'_>) {
    let I440fx { address, interrupts, function, windows: _, wiring, migrate_address } = device;
    let migrated = Condition::new("x-config-reg-migration-enabled", *migrate_address);
    sections.section(HOST, migrated, |f| {
        let mut raw = address.into_bits();
        f.u32("config_reg", &mut raw);
        *address = raw.into();
    });
    sections.section(BUS, Condition::ALWAYS, |f| bus(f, interrupts, *wiring));
    sections.section_with_path(BRIDGE, Condition::ALWAYS, |f| {
        function.state(f, "parent_obj");
        // It was `smm_enabled` once.
        f.unused(1);
    });
}

/// The bus's interrupt counts.
///
/// QEMU takes loaded counts as they are, because its functions do not assert
/// their pins anew when they are loaded. Here they do, each pin is an input, and
/// counts that were kept would count those pins twice. So the counts are
/// checked, and follow from the pins. A device that takes over from another
/// version in its slot sees no input change; it gets the pins themselves.
fn bus(f: &mut Fields<'_>, interrupts: &mut Interrupts, wiring: Wiring) {
    let Interrupts { pins } = interrupts;
    f.i32_equal("nirq", wiring.lines() as i32);
    let mut counts = Interrupts { pins: *pins }.counts(wiring);
    f.i32s("irq_count", &mut counts);
    let legal = counts.iter().all(|count| (0..=PINS as i32).contains(count));
    f.check(legal, || format!("{counts:?} found, 0 to {PINS} expected of each"));
    f.private(|f| {
        let mut halves = [*pins as u64, (*pins >> 64) as u64];
        f.u64s("pins", &mut halves);
        *pins = u128::from(halves[0]) | u128::from(halves[1]) << 64;
    });
}
