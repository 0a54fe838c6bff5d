//! A machine without processors, as firmware leaves it.

use std::sync::Arc;

use southbridge::clock::Clock;
use southbridge::component::Effects;
use southbridge::library::Library;
use southbridge::machine::{Backends, Machine, PowerListener, Unconnected};

use super::plan::{PM_BASE, plan};

/// A machine whose power management registers are at [`PM_BASE`] and whose
/// clock runs.
pub(crate) fn machine(library: &Library, power: PowerListener) -> Arc<Machine> {
    let (plan, clock) = (plan(library), Arc::new(Clock::new()));
    let machine = Machine::build(&plan, clock, Arc::new(Unconnected), &Backends::default(), power)
        .expect("the machine can be built");
    // PMBA, and PMIOSE in PMREGMISC (82371AB data sheet, 7.1).
    configure(&machine, 0x40, 4, u32::from(PM_BASE) | 1);
    configure(&machine, 0x80, 1, 1);
    machine.start_clock();
    machine
}

/// Writes to the configuration space of the PIIX4's function 3, at 00:01.3.
fn configure(machine: &Machine, offset: u32, size: u8, value: u32) {
    let mut effects = Effects::new();
    machine.port_write(0xcf8, 4, u64::from(0x8000_0b00 | offset), &mut effects);
    machine.port_write(0xcfc, size, value.into(), &mut effects);
}
