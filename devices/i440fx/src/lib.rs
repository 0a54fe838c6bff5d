//! Intel 440FX PCI and Memory Controller (PMC, 82441FX): the host bridge of
//! the PC, with the PCI bus behind it.
//!
//! Data sheet: Intel 440FX PCIset, 82441FX and 82442FX (order number 290549).
//!
//! Modelled, as QEMU's i440FX-pcihost, i440FX and PCI root bus have it:
//!
//! - the configuration address and data registers, ports 0xcf8 to 0xcff;
//! - the function 00:00.0, which is the bridge itself;
//! - the PAM and SMRAM registers, which show RAM or the bus below 1 MiB;
//! - how the interrupt pins of 32 slots share four lines.
//!
//! Not modelled, because QEMU does not: DRAM and bus timing, error reporting,
//! and the lock of SMRAM. System management mode is the processor's business.

mod configuration;
mod interrupts;
mod regs;
mod state;
#[cfg(test)]
mod tests;
mod windows;

use southbridge_sdk::describe::{aligned, configuration, device, flag, number, pci_bus, ports};
use southbridge_sdk::pci::{DEFAULT_SUBSYSTEM, Function, Identity};
use southbridge_sdk::state::Sections;
use southbridge_sdk::wit::{Attachment, Description};
use southbridge_sdk::{Context, Device, Properties};

use interrupts::{Interrupts, Wiring};
use regs::{CONFADD, CONFDATA, ConfigurationAddress, RAM_SIZE, SMRAM, Smram};
use windows::Windows;

const ADDRESS: u32 = 0;
const DATA: u32 = 1;
const CONFIGURATION: u32 = 2;

const IDENTITY: Identity = Identity {
    vendor: 0x8086,
    device: 0x1237,
    revision: 2,
    class: 0x06_00_00,
    subsystem: DEFAULT_SUBSYSTEM,
};

/// The host bridge.
pub struct I440fx {
    address: ConfigurationAddress,
    interrupts: Interrupts,
    function: Function,
    windows: Windows,
    wiring: Wiring,
    migrate_address: bool,
}

impl Device for I440fx {
    fn describe() -> Description {
        let summary = "Intel 440FX PMC: host bridge and PCI bus";
        // QEMU's defaults: 1, 2 or 4 bytes, aligned.
        let widths = aligned(1, 4);
        Description {
            properties: vec![
                flag(
                    "x-config-reg-migration-enabled",
                    true,
                    "the configuration address register is part of the saved state",
                ),
                number(
                    "interrupt-lines",
                    4,
                    "lines in the saved state of the bus: 4, or 128 on Xen",
                ),
                number("ram-size", 0, "bytes of RAM, told to old firmware in register 0x57"),
            ],
            regions: vec![
                ports("pci-conf-idx", 4, widths, widths),
                ports("pci-conf-data", 4, widths, widths),
                configuration(),
            ],
            lines: interrupts::lines(),
            buses: vec![pci_bus("pci", 0)],
            windows: windows::declared(),
            ..device("i440fx", env!("CARGO_PKG_VERSION"), summary, Attachment::System)
        }
    }

    fn configure(properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        let wiring = Wiring::with_lines(properties.number("interrupt-lines")?)?;
        let migrate_address = properties.flag("x-config-reg-migration-enabled")?;
        let ram: u64 = properties.number("ram-size")?;
        let mut function = Function::new(IDENTITY);
        // Neither is touched by a reset in QEMU, nor are the PAM registers.
        function.registers_mut().set(RAM_SIZE, 1, (ram >> 23).min(0xff));
        function.registers_mut().set(SMRAM, 1, Smram::POWER_ON);
        cx.map(ADDRESS, CONFADD, 0);
        cx.map(DATA, CONFDATA, 0);
        Ok(Self {
            address: ConfigurationAddress::new(),
            interrupts: Interrupts::default(),
            function,
            windows: Windows::new(),
            wiring,
            migrate_address,
        })
    }

    /// QEMU resets what all functions have in common and leaves the rest, also
    /// the configuration address, as it is.
    fn reset(&mut self, cx: &mut Context<'_>) {
        self.interrupts = Interrupts::default();
        self.function.reset(cx);
        self.interrupts.drive(cx);
    }

    /// The address register answers a read with all of itself at any of its
    /// four ports, so that a narrow read gets its low bytes: QEMU's behaviour.
    fn io_read(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, size: u8) -> u64 {
        match region {
            ADDRESS => self.address.into_bits().into(),
            CONFIGURATION => self.function.read(offset, size),
            _ => self.configuration_read(cx, offset, size),
        }
    }

    /// The address register takes only a whole write, as the data sheet says.
    fn io_write(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, size: u8, value: u64) {
        match region {
            ADDRESS if (offset, size) == (0, 4) => self.address = (value as u32).into(),
            ADDRESS => {}
            CONFIGURATION => self.function_write(cx, offset, size, value),
            _ => self.configuration_write(cx, offset, size, value),
        }
    }

    fn line_changed(&mut self, cx: &mut Context<'_>, line: u32, level: bool) {
        self.interrupts.set(cx, line, level);
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        state::declare(self, sections);
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        self.function.loaded(cx);
        self.windows.apply(self.function.registers(), cx);
        self.interrupts.drive(cx);
        Ok(())
    }
}

southbridge_sdk::export!(I440fx);
