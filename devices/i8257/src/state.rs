//! The saved state: QEMU's section dma, one for each controller.

use southbridge_sdk::state::{Condition, Sections, Shape};

use crate::controller::{Channel, Controller};
use crate::regs::Status;

const SECTION: Shape = Shape::new("dma", 1, 1);
const CHANNEL: Shape = Shape::new("dma_regs", 1, 1);

/// Declares a controller's section. QEMU does not save the status: requests that are
/// high are made again when the machine runs.
pub(crate) fn declare(controller: &mut Controller, sections: &mut Sections<'_>) {
    sections.section(SECTION, Condition::ALWAYS, |f| {
        let Controller { shift, command, mask, status, upper_byte, channels } = controller;
        f.u8("command", command);
        f.u8("mask", mask);
        let mut raw = u8::from(*upper_byte);
        f.u8("flip_flop", &mut raw);
        f.check(raw <= 1, || format!("{raw} found, 0 or 1 expected"));
        *upper_byte = raw == 1;
        let mut raw = i32::from(*shift);
        f.i32("dshift", &mut raw);
        f.check(raw == i32::from(*shift), || format!("{raw} found, {shift} expected"));
        f.structures("regs", CHANNEL, channels, |f, channel| {
            let Channel {
                address,
                position,
                base_address,
                base_count,
                mode,
                page,
                high_page,
                dack,
                eop,
            } = channel;
            let mut now = [*address, *position];
            f.i32s("now", &mut now);
            [*address, *position] = now;
            let mut base = [*base_address, *base_count];
            f.u16s("base", &mut base);
            [*base_address, *base_count] = base;
            let mut raw = mode.into_bits();
            f.u8("mode", &mut raw);
            *mode = raw.into();
            f.u8("page", page);
            f.u8("pageh", high_page);
            f.u8("dack", dack);
            f.u8("eop", eop);
        });
        f.private(|f| {
            let mut raw = status.into_bits();
            f.u8("status", &mut raw);
            *status = Status::from_bits(raw);
        });
    });
}
