//! From PCI interrupt lines to ISA interrupts.

use southbridge_sdk::Context;
use southbridge_sdk::describe::{input, output};
use southbridge_sdk::pci::CONFIGURATION_SIZE;
use southbridge_sdk::registers::Registers;
use southbridge_sdk::wit::Line;

use crate::regs::{PIRQRC, RouteControl};

/// The number of PCI interrupt lines, PIRQA# to PIRQD#.
pub(crate) const PIRQS: usize = 4;
/// The number of ISA interrupts.
const IRQS: usize = 16;

/// The lines of the device: the inputs `pirqa` to `pirqd`, then the outputs
/// `irq0` to `irq15`.
pub(crate) fn lines() -> Vec<Line> {
    let pirqs = ["pirqa", "pirqb", "pirqc", "pirqd"].map(input);
    let irqs = (0..IRQS).map(|irq| output(format!("irq{irq}")));
    pirqs.into_iter().chain(irqs).collect()
}

/// Which PCI interrupt lines are asserted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pirqs {
    /// The level of each line.
    pub(crate) levels: [bool; PIRQS],
}

impl Pirqs {
    /// Notes the level of a line.
    pub(crate) fn set(&mut self, line: u32, level: bool) {
        if let Some(place) = self.levels.get_mut(line as usize) {
            *place = level;
        }
    }

    /// Drives the ISA interrupts: each is high while a line routed to it is.
    ///
    /// QEMU drives all sixteen when the routing changes, and shares them with
    /// the devices on the ISA bus: a device whose interrupt is pending loses it
    /// then. Here an interrupt changes only with its own lines.
    pub(crate) fn drive(&self, registers: &Registers<CONFIGURATION_SIZE>, cx: &mut Context<'_>) {
        let mut asserted = [false; IRQS];
        for (line, level) in self.levels.iter().enumerate() {
            let route = RouteControl::from_bits(registers.get(PIRQRC + line, 1) as u8);
            if let Some(irq) = route.irq() {
                asserted[usize::from(irq)] |= level;
            }
        }
        for (line, level) in (PIRQS as u32..).zip(asserted) {
            cx.set_line(line, level);
        }
    }
}
