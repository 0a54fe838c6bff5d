//! The saved state: QEMU's two sections i8259, the master's first.

use southbridge_sdk::state::{Condition, Fields, Sections, Shape};

use crate::I8259;
use crate::chip::{Chip, Expected};
use crate::regs::{ELCR_BITS, ICW2_BITS};

const SECTION: Shape = Shape::new("i8259", 1, 1);
const LTIM: Shape = Shape::new("i8259/ltim", 1, 1);

/// Declares the sections.
///
/// QEMU does not save the output. Where it differs from what the registers say,
/// another version of the device gets it from a private field.
pub(crate) fn declare(device: &mut I8259, sections: &mut Sections<'_>) {
    let I8259 { master, slave, intr } = device;
    let is_stream = sections.is_stream();
    sections.section(SECTION, Condition::ALWAYS, |f| {
        let needed = master.level_triggered;
        registers(f, master, ELCR_BITS[0]);
        if f.is_loading() && is_stream {
            *intr = master.pending().is_some();
        }
        f.private(|f| flag(f, "output", intr, 1));
        ltim(f, master, needed);
    });
    sections.section(SECTION, Condition::ALWAYS, |f| {
        let needed = slave.level_triggered;
        registers(f, slave, ELCR_BITS[1]);
        ltim(f, slave, needed);
    });
}

fn registers(f: &mut Fields<'_>, chip: &mut Chip, elcr_bits: u8) {
    let Chip {
        is_master: _,
        has_ltim: _,
        levels,
        irr,
        imr,
        isr,
        first,
        vectors,
        reads_isr,
        polls,
        special_mask,
        expected,
        automatic_end,
        rotates_automatically,
        special_fully_nested,
        has_icw4,
        is_single,
        elcr,
        level_triggered: _,
    } = chip;
    f.u8("last_irr", levels);
    f.u8("irr", irr);
    f.u8("imr", imr);
    f.u8("isr", isr);
    f.u8("priority_add", first);
    bits(f, first, 7);
    f.u8("irq_base", vectors);
    bits(f, vectors, ICW2_BITS);
    flag(f, "read_reg_select", reads_isr, 1);
    flag(f, "poll", polls, 1);
    flag(f, "special_mask", special_mask, 1);
    let mut raw = *expected as u8;
    f.u8("init_state", &mut raw);
    bits(f, &mut raw, 3);
    *expected = match raw {
        0 => Expected::Mask,
        1 => Expected::Icw2,
        2 => Expected::Icw3,
        _ => Expected::Icw4,
    };
    flag(f, "auto_eoi", automatic_end, 1);
    flag(f, "rotate_on_auto_eoi", rotates_automatically, 1);
    flag(f, "special_fully_nested_mode", special_fully_nested, 1);
    flag(f, "init4", has_icw4, 1);
    flag(f, "single_mode", is_single, 2);
    f.u8("elcr", elcr);
    bits(f, elcr, elcr_bits);
}

fn ltim(f: &mut Fields<'_>, chip: &mut Chip, needed: bool) {
    let Chip { has_ltim, level_triggered, .. } = chip;
    f.subsection(LTIM, Condition::new("level-triggered", needed), |f| {
        flag(f, "ltim", level_triggered, 8);
        f.check(*has_ltim || !*level_triggered, || {
            "level-triggered inputs found, which property ltim rules out".into()
        });
    });
}

/// A truth value that is `when_set` or 0.
fn flag(f: &mut Fields<'_>, name: &'static str, value: &mut bool, when_set: u8) {
    let mut raw = if *value { when_set } else { 0 };
    f.u8(name, &mut raw);
    f.check(raw == 0 || raw == when_set, || format!("{raw} found, 0 or {when_set} expected"));
    *value = raw != 0;
}

/// Refuses bits that do not exist, and keeps them out of a state that is being
/// refused.
fn bits(f: &mut Fields<'_>, value: &mut u8, existing: u8) {
    let found = *value;
    f.check(found & !existing == 0, || format!("{found:#x} found, bits {existing:#x} expected"));
    *value &= existing;
}
