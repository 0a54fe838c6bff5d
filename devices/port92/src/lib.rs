//! System control port A of the PC, port 0x92: QEMU's `port92`.
//!
//! Specification: IBM Personal System/2 Hardware Interface Technical Reference,
//! "System Control Port A (Hex 0092)". Of its bits these have a meaning here, as
//! in QEMU: bit 0 resets the processor when it goes from 0 to 1, bit 1 opens the
//! gate of address line 20. All eight hold what was written.
//!
//! QEMU resets the whole machine where the PS/2 resets the processor alone.

use bitfield_struct::bitfield;
use southbridge_sdk::describe::{aligned, device, output, ports};
use southbridge_sdk::state::{Condition, Sections, Shape};
use southbridge_sdk::wit::{Attachment, Description, Request};
use southbridge_sdk::{Context, Device, Properties};

/// The one region, and where it is.
const CONTROL: u32 = 0;
const PORT: u64 = 0x92;

/// The output line.
const A20: u32 = 0;

const SECTION: Shape = Shape::new("port92", 1, 1);

/// System control port A.
#[bitfield(u8)]
struct Control {
    /// Alternate hot reset.
    reset: bool,
    /// Alternate gate A20.
    a20: bool,
    #[bits(6)]
    __: u8,
}

/// The device.
#[derive(Default)]
pub struct Port92 {
    control: Control,
}

impl Device for Port92 {
    fn describe() -> Description {
        let summary = "System control port A: A20 gate and fast reset (port92)";
        Description {
            regions: vec![ports("port92", 1, aligned(1, 4), aligned(1, 1))],
            lines: vec![output("a20")],
            ..device("port92", env!("CARGO_PKG_VERSION"), summary, Attachment::System)
        }
    }

    fn configure(_properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        cx.map(CONTROL, PORT, 0);
        Ok(Self::default())
    }

    /// As in QEMU the register keeps all but the reset bit, and the gate stays
    /// as it is.
    fn reset(&mut self, _cx: &mut Context<'_>) {
        self.control.set_reset(false);
    }

    fn io_read(&mut self, _cx: &mut Context<'_>, _region: u32, _offset: u64, _size: u8) -> u64 {
        self.control.into_bits().into()
    }

    fn io_write(
        &mut self,
        cx: &mut Context<'_>,
        _region: u32,
        _offset: u64,
        _size: u8,
        value: u64,
    ) {
        let was_resetting = self.control.reset();
        self.control = Control::from_bits(value as u8);
        cx.set_line(A20, self.control.a20());
        if self.control.reset() && !was_resetting {
            cx.ask_power(Request::Reset);
        }
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        let Self { control } = self;
        sections.section(SECTION, Condition::ALWAYS, |f| {
            let mut raw = control.into_bits();
            f.u8("outport", &mut raw);
            *control = raw.into();
        });
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        cx.set_line(A20, self.control.a20());
        Ok(())
    }
}

southbridge_sdk::export!(Port92);

#[cfg(test)]
mod tests;
