//! Intel PIIX4 power management and SMBus host: function 3 of the 82371AB
//! (data sheet 290562), as QEMU's `PIIX4_PM` has it.
//!
//! Modelled: the ACPI fixed registers (PM1 events, control, timer) with the
//! SCI, the sleep states and the power button; the general purpose events; the
//! APM ports with SMI#; QEMU's PCI, processor and memory hot-plug registers;
//! and the SMBus host controller with QEMU's extensions from the ICH9.
//!
//! Not modelled, as in QEMU: device monitors and traps, clock control, the
//! global and device timers, the SMBus slave port and alert, and the SMBus
//! interrupt. Not modelled, unlike QEMU: devices that come and go while the
//! machine runs.

mod configuration;
mod description;
mod gpe;
mod hotplug;
mod pm1;
mod regs;
mod smbus;
mod state;
#[cfg(feature = "traced")]
mod traced;

use southbridge_sdk::state::Sections;
use southbridge_sdk::wit::{Description, WakeupReason};
use southbridge_sdk::{Context, Device, PowerEvents, Properties};

use configuration::Configuration;
use description::{
    APM, CONFIGURATION, CPU_BITMAP, CPU_HOTPLUG, GPE, MEMORY_HOTPLUG, OVERFLOW, Options,
    PCI_HOTPLUG, PM_TIMER, PM1_CONTROL, PM1_EVENT, SCI, SMBUS, SMI,
};
use gpe::Gpe;
use hotplug::{CpuHotplug, MemoryHotplug, PciHotplug};
use pm1::Pm1;
use regs::apm::{ACPI_DISABLE, ACPI_ENABLE, CONTROL};
use smbus::Smbus;

/// The ports QEMU has fixed: of these only the APM ports are the data sheet's.
const FIXED: [(u32, u64); 3] = [(GPE, 0xafe0), (APM, 0xb2), (PCI_HOTPLUG, 0xae00)];
const CPU_PORTS: u64 = 0xaf00;
const MEMORY_PORTS: u64 = 0xa00;

/// The device.
#[derive(Clone, Debug)]
pub struct Piix4Pm {
    options: Options,
    configuration: Configuration,
    pm1: Pm1,
    gpe: Gpe,
    /// The level of the SCI when it was last looked at.
    sci: bool,
    apm: Apm,
    pci: PciHotplug,
    cpu: CpuHotplug,
    memory: MemoryHotplug,
    smbus: Smbus,
}

/// The registers APMC and APMS.
#[derive(Clone, Copy, Debug, Default)]
struct Apm {
    control: u8,
    status: u8,
}

impl Device for Piix4Pm {
    fn describe() -> Description {
        description::describe()
    }

    fn configure(properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        let options = Options::new(properties)?;
        let acpi_only = !options.smm && !options.smm_compat;
        let mut device = Self {
            configuration: Configuration::new(&options),
            pm1: Pm1::new(options.s4_val, acpi_only, options.byte_access),
            gpe: Gpe::default(),
            sci: false,
            apm: Apm::default(),
            pci: PciHotplug::new(options.bridges, options.fixed_slots),
            cpu: CpuHotplug::new(options.cpus),
            memory: MemoryHotplug::new(options.memory_slots),
            smbus: Smbus::new(),
            options,
        };
        for (region, base) in FIXED {
            cx.map(region, base, 0);
        }
        if device.options.memory_hotplug && device.options.memory_slots > 0 {
            cx.map(MEMORY_HOTPLUG, MEMORY_PORTS, 0);
        }
        device.map_cpu_hotplug(cx);
        device.configuration.map(cx);
        Ok(device)
    }

    fn reset(&mut self, cx: &mut Context<'_>) {
        self.configuration.reset(cx);
        self.pm1.reset(cx);
        self.gpe = Gpe::default();
        self.pci.reset();
        self.update_sci(cx);
    }

    fn io_read(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, size: u8) -> u64 {
        match region {
            CONFIGURATION => self.configuration.function.read(offset, size),
            PM1_EVENT => self.pm1.read_event(cx.now, offset).into(),
            PM1_CONTROL => self.pm1.read_control(offset).into(),
            PM_TIMER => Pm1::count(cx.now),
            GPE => self.gpe.read(offset).into(),
            APM if offset == CONTROL => self.apm.control.into(),
            APM => self.apm.status.into(),
            PCI_HOTPLUG => self.pci.read(offset).into(),
            CPU_BITMAP => self.cpu.read_bitmap(offset).into(),
            CPU_HOTPLUG => self.cpu.read(offset).into(),
            MEMORY_HOTPLUG => self.memory.read(offset).into(),
            SMBUS => self.smbus.read(cx, offset).into(),
            _ => u64::MAX,
        }
    }

    fn io_write(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, size: u8, value: u64) {
        #[cfg(feature = "traced")]
        traced::write(cx, region, offset, size, value);
        match region {
            CONFIGURATION => self.configuration.write(cx, offset, size, value),
            PM1_EVENT => {
                self.pm1.write_event(cx, offset, value as u16);
                if matches!(offset, 0 | 2) {
                    self.update_sci(cx);
                }
            }
            PM1_CONTROL => self.pm1.write_control(cx, offset, value as u16),
            GPE => {
                self.gpe.write(offset, value as u8);
                self.update_sci(cx);
            }
            APM if offset == CONTROL => self.write_apm_control(cx, value as u8),
            APM => self.apm.status = value as u8,
            PCI_HOTPLUG => self.pci.write(offset, value as u32),
            CPU_BITMAP => self.write_cpu_bitmap(cx, offset, value as u8),
            CPU_HOTPLUG => self.cpu.write(cx, offset, value as u32),
            MEMORY_HOTPLUG => self.memory.write(offset, value as u32),
            SMBUS => self.smbus.write(cx, offset, value as u8),
            _ => {}
        }
    }

    fn timer_expired(&mut self, cx: &mut Context<'_>, timer: u32) {
        if timer == OVERFLOW {
            self.pm1.timer = None;
            cx.wake(WakeupReason::PmTimer);
            self.update_sci(cx);
        }
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        self.declare(sections);
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        self.pm1.check()?;
        self.configuration.loaded(cx);
        self.map_cpu_hotplug(cx);
        self.pm1.drive_timer(cx);
        // QEMU forgets this one: there, a machine that was moved is not woken.
        self.pm1.enable_wakeups(cx, regs::event::SCI);
        cx.set_line(SCI, self.sci);
        Ok(())
    }
}

impl PowerEvents for Piix4Pm {
    fn button_pressed(&mut self, cx: &mut Context<'_>) {
        if self.pm1.press_button() {
            self.update_sci(cx);
        }
    }

    fn woken(&mut self, _cx: &mut Context<'_>, reason: WakeupReason) {
        self.pm1.resume(reason);
    }
}

impl Piix4Pm {
    /// Sets the SCI, and the timer that may raise it, as the registers say.
    fn update_sci(&mut self, cx: &mut Context<'_>) {
        let status = self.pm1.status(cx.now);
        let sci = self.pm1.asserts_sci(status) || self.gpe.asserts_sci();
        self.sci = sci;
        cx.set_line(SCI, sci);
        self.pm1.schedule(cx, status);
    }

    fn write_apm_control(&mut self, cx: &mut Context<'_>, value: u8) {
        self.apm.control = value;
        match value {
            ACPI_ENABLE => self.pm1.set_sci_en(true),
            ACPI_DISABLE => self.pm1.set_sci_en(false),
            _ if self.configuration.apmc_raises_smi() => {
                // SMI# is an edge: each write is one.
                cx.set_line(SMI, true);
                cx.set_line(SMI, false);
            }
            _ => {}
        }
    }

    fn write_cpu_bitmap(&mut self, cx: &mut Context<'_>, offset: u64, value: u8) {
        if self.cpu.write_bitmap(offset, value) {
            self.map_cpu_hotplug(cx);
        }
    }

    fn map_cpu_hotplug(&self, cx: &mut Context<'_>) {
        let (here, gone) =
            if self.cpu.legacy { (CPU_BITMAP, CPU_HOTPLUG) } else { (CPU_HOTPLUG, CPU_BITMAP) };
        cx.unmap(gone);
        cx.map(here, CPU_PORTS, 0);
    }
}

southbridge_sdk::export!(Piix4Pm, power_events);
