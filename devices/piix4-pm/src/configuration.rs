//! The configuration space, and where it puts the registers.

use southbridge_sdk::Context;
use southbridge_sdk::pci::{DEFAULT_SUBSYSTEM, Function, Identity, offset};

use crate::description::{Options, PM_TIMER, PM1_CONTROL, PM1_EVENT, SMBUS};
use crate::regs::configuration::{
    APMC_EN, BASE, DEVACTB, DEVACTB_APMC, DEVRESA_LPT, DEVRESB_ENABLE, DEVRESC_COM, IO_SPACE, PMBA,
    PMREGMISC, SMBBA, SMBHSTCFG,
};

/// Fixed registers, in the sense of the contract: beneath base address
/// registers.
const PRIORITY: u8 = 0;

/// The power management registers, each at its offset from PMBA.
const PM_REGIONS: [(u32, u64); 3] = [(PM1_EVENT, 0), (PM1_CONTROL, 4), (PM_TIMER, 8)];

/// The SMBus registers, at SMBBA.
const SMBUS_REGIONS: [(u32, u64); 1] = [(SMBUS, 0)];

/// Function 3 and its two windows.
#[derive(Clone, Debug)]
pub(crate) struct Configuration {
    pub(crate) function: Function,
    pm: Option<u64>,
    smbus: Option<u64>,
    smm: bool,
}

impl Configuration {
    /// The space at power-on. The registers that say which ports other devices
    /// have are QEMU's summary for the ACPI tables; the guest can write them and
    /// no reset brings them back.
    pub(crate) fn new(options: &Options) -> Self {
        let mut function = Function::new(Identity {
            vendor: 0x8086,
            device: 0x7113,
            revision: 3,
            class: 0x06_8000,
            subsystem: DEFAULT_SUBSYSTEM,
        });
        let registers = function.registers_mut();
        // Fast back-to-back, medium DEVSEL# timing.
        registers.set(offset::STATUS, 2, 0x0280);
        registers.set(offset::INTERRUPT_PIN, 1, 1);
        let lpt = if options.parallel_port { 0x80 } else { 0 };
        registers.set(DEVRESA_LPT, 1, 0x10 | lpt);
        registers.set(DEVRESB_ENABLE, 1, 0x60);
        let com = if options.com1 { 0x08 } else { 0 } | if options.com2 { 0x90 } else { 0 };
        registers.set(DEVRESC_COM, 1, com);
        registers.set(SMBBA, 2, u64::from(options.smb_io_base) | IO_SPACE);
        registers.set(SMBHSTCFG, 1, 0x09);
        Self { function, pm: None, smbus: None, smm: options.smm }
    }

    /// A system reset. Of PMBA QEMU resets the low byte only, of the SMBus
    /// controller's registers none.
    pub(crate) fn reset(&mut self, cx: &mut Context<'_>) {
        self.function.reset(cx);
        let registers = self.function.registers_mut();
        registers.set(DEVACTB, 4, 0);
        if !self.smm {
            // There is no firmware that would ask for it.
            registers.set(DEVACTB_APMC, 1, APMC_EN);
        }
        registers.set(PMBA, 1, IO_SPACE);
        registers.set(PMREGMISC, 1, 0);
        self.map(cx);
    }

    /// Writes as a guest does.
    pub(crate) fn write(&mut self, cx: &mut Context<'_>, offset: u64, size: u8, value: u64) {
        self.function.write(cx, offset, size, value);
        self.map(cx);
    }

    /// Whether a write to APMC raises SMI#.
    pub(crate) fn apmc_raises_smi(&self) -> bool {
        self.function.registers().get(DEVACTB_APMC, 1) & APMC_EN != 0
    }

    /// What follows from a state that has been loaded.
    pub(crate) fn loaded(&mut self, cx: &mut Context<'_>) {
        self.function.loaded(cx);
        self.map(cx);
    }

    /// Maps the windows where the registers say.
    pub(crate) fn map(&mut self, cx: &mut Context<'_>) {
        let registers = self.function.registers();
        let window = |base, enable| {
            let enabled = registers.get(enable, 1) & 1 != 0;
            enabled.then(|| registers.get(base, 2) & BASE)
        };
        let (pm, smbus) = (window(PMBA, PMREGMISC), window(SMBBA, SMBHSTCFG));
        place(cx, &PM_REGIONS, &mut self.pm, pm);
        place(cx, &SMBUS_REGIONS, &mut self.smbus, smbus);
    }
}

/// Moves a window.
fn place(
    cx: &mut Context<'_>,
    regions: &[(u32, u64)],
    mapped: &mut Option<u64>,
    wanted: Option<u64>,
) {
    if std::mem::replace(mapped, wanted) == wanted {
        return;
    }
    for &(region, at) in regions {
        match wanted {
            Some(base) => cx.map(region, base + at, PRIORITY),
            None => cx.unmap(region),
        }
    }
}
