//! The saved state: QEMU's section PIIX3.

use southbridge_sdk::state::{Condition, Sections, Shape};

use crate::Piix3;
use crate::regs::ELCR_BITS;
use crate::routing::{PIRQS, Pirqs};

const SECTION: Shape = Shape::new("PIIX3", 3, 2);
const RESET_CONTROL: Shape = Shape::new("PIIX3/rcr", 1, 1);

/// Declares the section.
///
/// QEMU saves the levels of the PCI interrupt lines for information; on loading
/// it asks the bus. Here they are inputs, and the bus drives them anew. Only a
/// device that takes over from another version in its slot sees no change of
/// them; it gets them from the private fields. ELCR1 and ELCR2 are private too:
/// in QEMU they belong to the interrupt controller, whose section i8259 has
/// them.
pub(crate) fn declare(device: &mut Piix3, sections: &mut Sections<'_>) {
    let Piix3 { function, pirqs: Pirqs { levels }, reset_control, elcr, shared_lines } = device;
    sections.section_with_path(SECTION, Condition::ALWAYS, |f| {
        function.state(f, "dev");
        f.since(3, |f| {
            // On Xen QEMU saves the levels of the bus's first four lines, which
            // are slot 0's: the host bridge has no interrupt.
            let mut saved = [0; PIRQS];
            if *shared_lines {
                saved = levels.map(i32::from);
            }
            f.i32s("pci_irq_levels_vmstate", &mut saved);
            let legal = saved.iter().all(|level| (0..=1).contains(level));
            f.check(legal, || format!("{saved:?} found, 0 or 1 expected of each"));
        });
        f.private(|f| {
            let mut raw = levels.map(u8::from);
            f.u8s("pirqs", &mut raw);
            f.check(raw.iter().all(|&level| level <= 1), || {
                format!("{raw:?} found, 0 or 1 expected")
            });
            *levels = raw.map(|level| level != 0);
            f.u8s("elcr", elcr);
            let legal = elcr.iter().zip(ELCR_BITS).all(|(&byte, bits)| byte & !bits == 0);
            f.check(legal, || format!("{elcr:x?} found, bits {ELCR_BITS:x?} expected"));
        });
        let mut raw = reset_control.into_bits();
        let needed = Condition::new("not zero", raw != 0);
        f.subsection(RESET_CONTROL, needed, |f| {
            f.u8("rcr", &mut raw);
            f.check(raw & !2 == 0, || format!("{raw:#x} found, 0 or 2 expected"));
        });
        *reset_control = raw.into();
    });
}
