//! Intel PIIX3 (82371SB): the PCI-to-ISA bridge of the PC, function 0.
//!
//! Data sheet: Intel 82371FB (PIIX) and 82371SB (PIIX3) PCI ISA IDE Xcelerator
//! (order number 290550).
//!
//! Modelled, as QEMU's PIIX3 has it:
//!
//! - the configuration space, whose registers above the header hold what is
//!   written and mean nothing, but for PIRQRC\[A:D\];
//! - the routing of four PCI interrupt lines to ISA interrupts;
//! - the reset control register;
//! - ELCR1 and ELCR2, which QEMU counts to the interrupt controllers. Where
//!   those are the kernel's, it answers these two ports before this device;
//!   where they are a device, property `elcr` leaves the ports to that.
//!
//! The functions IDE, USB and power management are devices of their own, and so
//! are the DMA controllers, the timer and the clock.

mod regs;
mod routing;
mod state;
#[cfg(test)]
mod tests;

use southbridge_sdk::describe::{aligned, configuration, device, flag, number, ports};
use southbridge_sdk::pci::{DEFAULT_SUBSYSTEM, Function, Identity, offset};
use southbridge_sdk::state::Sections;
use southbridge_sdk::wit::{Attachment, Description, Request};
use southbridge_sdk::{Context, Device, Properties};

use regs::{AT_RESET, ELCR, ELCR_BITS, PIRQRC, RESET_CONTROL, ResetControl};
use routing::{PIRQS, Pirqs};

const CONFIGURATION: u32 = 0;
const RC: u32 = 1;
const ELCR1: u32 = 2;
const ELCR2: u32 = 3;

const IDENTITY: Identity = Identity {
    vendor: 0x8086,
    device: 0x7000,
    revision: 0,
    class: 0x06_01_00,
    subsystem: DEFAULT_SUBSYSTEM,
};

/// Header type: more than one function.
const MULTI_FUNCTION: u64 = 0x80;

/// The ISA bridge.
pub struct Piix3 {
    function: Function,
    pirqs: Pirqs,
    reset_control: ResetControl,
    elcr: [u8; 2],
    /// The bus's saved lines are the four shared ones, as everywhere but on Xen.
    shared_lines: bool,
}

impl Device for Piix3 {
    fn describe() -> Description {
        let summary = "Intel PIIX3: PCI-to-ISA bridge, interrupt routing and reset control";
        // QEMU's defaults outside, bytes inside.
        let byte_wide = |name| ports(name, 1, aligned(1, 4), aligned(1, 1));
        Description {
            properties: vec![
                number(
                    "interrupt-lines",
                    PIRQS as u64,
                    "lines in the saved state of the bus: 4, or 128 on Xen",
                ),
                flag("elcr", true, "ELCR1 and ELCR2 are here, not at the interrupt controllers"),
            ],
            regions: vec![
                configuration(),
                byte_wide("piix3-reset-control"),
                byte_wide("elcr1"),
                byte_wide("elcr2"),
            ],
            lines: routing::lines(),
            ..device("piix3", env!("CARGO_PKG_VERSION"), summary, Attachment::Pci)
        }
    }

    fn configure(properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        let lines: u64 = properties.number("interrupt-lines")?;
        if lines != PIRQS as u64 && lines != 128 {
            return Err(format!("property interrupt-lines: {lines} found, 4 or 128 expected"));
        }
        let mut function = Function::new(IDENTITY);
        function.registers_mut().set(offset::HEADER_TYPE, 1, MULTI_FUNCTION);
        // Above the host bridge, in whose address register the port lies.
        cx.map(RC, RESET_CONTROL, 1);
        if properties.flag("elcr")? {
            cx.map(ELCR1, ELCR[0], 0);
            cx.map(ELCR2, ELCR[1], 0);
        }
        Ok(Self {
            function,
            pirqs: Pirqs::default(),
            reset_control: ResetControl::new(),
            elcr: [0; 2],
            shared_lines: lines == PIRQS as u64,
        })
    }

    fn reset(&mut self, cx: &mut Context<'_>) {
        self.pirqs.release(self.function.registers(), cx);
        self.pirqs = Pirqs::default();
        self.reset_control = ResetControl::new();
        self.elcr = [0; 2];
        self.function.reset(cx);
        for (at, value) in AT_RESET {
            self.function.registers_mut().set(at, 1, value.into());
        }
    }

    /// The byte-wide ports are alike at each byte of a wider access: QEMU asks
    /// for each and does not look at the address.
    fn io_read(&mut self, _cx: &mut Context<'_>, region: u32, offset: u64, size: u8) -> u64 {
        match region {
            RC => self.reset_control.into_bits().into(),
            ELCR1 => self.elcr[0].into(),
            ELCR2 => self.elcr[1].into(),
            _ => self.function.read(offset, size),
        }
    }

    fn io_write(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, size: u8, value: u64) {
        match region {
            CONFIGURATION => {
                self.function.write(cx, offset, size, value);
                let pirqrc = PIRQRC as u64;
                if offset < pirqrc + PIRQS as u64 && offset + u64::from(size) > pirqrc {
                    self.pirqs.drive(self.function.registers(), cx);
                }
            }
            RC => self.write_reset_control(cx, value as u8),
            ELCR1 => self.elcr[0] = value as u8 & ELCR_BITS[0],
            ELCR2 => self.elcr[1] = value as u8 & ELCR_BITS[1],
            _ => {}
        }
    }

    fn line_changed(&mut self, cx: &mut Context<'_>, line: u32, level: bool) {
        self.pirqs.set(line, level, self.function.registers(), cx);
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        state::declare(self, sections);
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        self.function.loaded(cx);
        self.pirqs.drive(self.function.registers(), cx);
        Ok(())
    }
}

impl Piix3 {
    /// A write that resets leaves the register as it is.
    fn write_reset_control(&mut self, cx: &mut Context<'_>, value: u8) {
        let written = ResetControl::from_bits(value);
        if written.reset_cpu() {
            cx.ask_power(Request::Reset);
        } else {
            self.reset_control = ResetControl::new().with_system_reset(written.system_reset());
        }
    }
}

southbridge_sdk::export!(Piix3);
