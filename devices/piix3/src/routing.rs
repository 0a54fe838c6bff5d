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
    /// A line has a level: drives the ISA interrupt it is routed to.
    pub(crate) fn set(
        &mut self,
        line: u32,
        level: bool,
        registers: &Registers<CONFIGURATION_SIZE>,
        cx: &mut Context<'_>,
    ) {
        let Some(place) = self.levels.get_mut(line as usize) else { return };
        *place = level;
        if let Some(irq) = route(registers, line as usize) {
            let asserted = self.asserted(registers);
            cx.set_line(output_of(irq), asserted[irq]);
        }
    }

    /// Drives all ISA interrupts: each is high while a line routed to it is.
    ///
    /// They are shared with the devices on the ISA bus: as in QEMU one that has
    /// asserted its interrupt loses it.
    pub(crate) fn drive(&self, registers: &Registers<CONFIGURATION_SIZE>, cx: &mut Context<'_>) {
        for (irq, level) in self.asserted(registers).into_iter().enumerate() {
            cx.set_line(output_of(irq), level);
        }
    }

    /// Takes back the ISA interrupts that lines have asserted.
    pub(crate) fn release(&self, registers: &Registers<CONFIGURATION_SIZE>, cx: &mut Context<'_>) {
        let asserted = self.asserted(registers).into_iter().enumerate();
        for (irq, _) in asserted.filter(|(_, level)| *level) {
            cx.set_line(output_of(irq), false);
        }
    }

    fn asserted(&self, registers: &Registers<CONFIGURATION_SIZE>) -> [bool; IRQS] {
        let mut asserted = [false; IRQS];
        for (line, level) in self.levels.iter().enumerate() {
            if let Some(irq) = route(registers, line) {
                asserted[irq] |= level;
            }
        }
        asserted
    }
}

/// The ISA interrupt a line is routed to.
fn route(registers: &Registers<CONFIGURATION_SIZE>, line: usize) -> Option<usize> {
    RouteControl::from_bits(registers.get(PIRQRC + line, 1) as u8).irq().map(usize::from)
}

const fn output_of(irq: usize) -> u32 {
    (PIRQS + irq) as u32
}
