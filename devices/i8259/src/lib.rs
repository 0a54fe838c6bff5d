//! Two Intel 8259A, one behind the other: the interrupt controllers of the PC.
//! QEMU's two `isa-i8259`.
//!
//! Data sheet: Intel 8259A Programmable Interrupt Controller (order number
//! 231468); the edge/level control registers: Intel 82371SB (PIIX3), 3.1.4.
//!
//! Modelled, as in QEMU: initialization, masks, priorities and their rotation,
//! the special mask and the special fully nested mode, automatic end of
//! interrupt, polling, and spurious interrupts. Not modelled: another way of
//! cascading than the PC's, buffered mode, and the 8080's call instructions.
//!
//! In QEMU up to 7.2 ICW1 cannot make the inputs level-triggered; property
//! `ltim` says whether it can.

mod chip;
mod regs;
mod state;
#[cfg(test)]
mod tests;

use southbridge_sdk::describe::{aligned, device, flag, input, output, ports};
use southbridge_sdk::state::Sections;
use southbridge_sdk::wit::{Attachment, Description};
use southbridge_sdk::{Context, Device, InterruptController, Properties};

use chip::{CASCADE, Chip, Update};
use regs::ELCR_BITS;

/// The regions, and the port of each.
const MASTER: u32 = 0;
const SLAVE: u32 = 1;
const ELCR1: u32 = 2;
const ELCR2: u32 = 3;
const PORTS: [(u32, u64); 4] = [(MASTER, 0x20), (SLAVE, 0xa0), (ELCR1, 0x4d0), (ELCR2, 0x4d1)];

/// The inputs are lines 0 to 15; then comes the output to the processors.
const INPUTS: u32 = 16;
const INTR: u32 = 16;

/// The vector of a spurious interrupt is that of a controller's last input.
const SPURIOUS: u8 = 7;

/// Both controllers.
#[derive(Debug)]
pub struct I8259 {
    master: Chip,
    slave: Chip,
    /// The level of the output.
    intr: bool,
}

impl Device for I8259 {
    fn describe() -> Description {
        let summary = "Two Intel 8259A: interrupt controllers for 15 inputs";
        let bytes = |name, size| ports(name, size, aligned(1, 4), aligned(1, 1));
        let inputs = (0..INPUTS).map(|irq| input(format!("irq{irq}")));
        Description {
            properties: vec![flag("ltim", true, "ICW1 can make the inputs level-triggered")],
            regions: vec![
                bytes("master", 2),
                bytes("slave", 2),
                bytes("elcr1", 1),
                bytes("elcr2", 1),
            ],
            lines: inputs.chain([output("intr")]).collect(),
            ..device("i8259", env!("CARGO_PKG_VERSION"), summary, Attachment::System)
        }
    }

    fn configure(properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        let has_ltim = properties.flag("ltim")?;
        for (region, port) in PORTS {
            cx.map(region, port, 0);
        }
        let (master, slave) = (Chip::new(true, has_ltim), Chip::new(false, has_ltim));
        Ok(Self { master, slave, intr: false })
    }

    fn reset(&mut self, cx: &mut Context<'_>) {
        self.master.reset();
        self.slave.reset();
        self.drive(cx, Update(true));
    }

    /// A wider access goes on where it is, as in QEMU: behind the data port is
    /// the data port again.
    fn io_read(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, _size: u8) -> u64 {
        match region {
            MASTER => {
                let (value, update) = self.master.read(offset == 0);
                self.drive(cx, update);
                value.into()
            }
            SLAVE => {
                let (value, update) = self.slave.read(offset == 0);
                self.cascade(cx, update);
                value.into()
            }
            ELCR1 => self.master.elcr.into(),
            _ => self.slave.elcr.into(),
        }
    }

    fn io_write(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, _size: u8, value: u64) {
        let value = value as u8;
        let write = |chip: &mut Chip| {
            if offset == 0 { chip.command(value) } else { chip.data(value) }
        };
        match region {
            MASTER => {
                let update = write(&mut self.master);
                self.drive(cx, update);
            }
            SLAVE => {
                let update = write(&mut self.slave);
                self.cascade(cx, update);
            }
            ELCR1 => self.master.elcr = value & ELCR_BITS[0],
            _ => self.slave.elcr = value & ELCR_BITS[1],
        }
    }

    fn line_changed(&mut self, cx: &mut Context<'_>, line: u32, level: bool) {
        match line {
            0..8 => {
                let update = self.master.set_input(line as u8, level);
                self.drive(cx, update);
            }
            8..INPUTS => {
                let update = self.slave.set_input(line as u8 - 8, level);
                self.cascade(cx, update);
            }
            _ => {}
        }
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        state::declare(self, sections);
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        cx.set_line(INTR, self.intr);
        Ok(())
    }
}

impl InterruptController for I8259 {
    fn acknowledge(&mut self, cx: &mut Context<'_>) -> u8 {
        let Some(input) = self.master.pending() else { return self.master.vectors | SPURIOUS };
        let vector = if input == CASCADE {
            let behind = self.slave.pending();
            if let Some(behind) = behind {
                let update = self.slave.serve(behind);
                self.cascade(cx, update);
            }
            self.slave.vectors | behind.unwrap_or(SPURIOUS)
        } else {
            self.master.vectors | input
        };
        let update = self.master.serve(input);
        self.drive(cx, update);
        vector
    }
}

impl I8259 {
    /// The slave's output is an input of the master.
    fn cascade(&mut self, cx: &mut Context<'_>, Update(update): Update) {
        if update {
            let level = self.slave.pending().is_some();
            let update = self.master.set_input(CASCADE, level);
            self.drive(cx, update);
        }
    }

    fn drive(&mut self, cx: &mut Context<'_>, Update(update): Update) {
        if update {
            self.intr = self.master.pending().is_some();
            cx.set_line(INTR, self.intr);
        }
    }
}

southbridge_sdk::export!(I8259, interrupt_controller);
