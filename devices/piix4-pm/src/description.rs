//! What the device is, and the numbers of its parts.

use southbridge_sdk::Properties;
use southbridge_sdk::describe::{
    aligned, configuration, device, flag, i2c_bus, number, output, ports,
};
use southbridge_sdk::wit::{Attachment, Description, PropertyDeclaration, Region};

/// Regions.
pub(crate) const CONFIGURATION: u32 = 0;
pub(crate) const PM1_EVENT: u32 = 1;
pub(crate) const PM1_CONTROL: u32 = 2;
pub(crate) const PM_TIMER: u32 = 3;
pub(crate) const GPE: u32 = 4;
pub(crate) const APM: u32 = 5;
pub(crate) const PCI_HOTPLUG: u32 = 6;
pub(crate) const CPU_BITMAP: u32 = 7;
pub(crate) const CPU_HOTPLUG: u32 = 8;
pub(crate) const MEMORY_HOTPLUG: u32 = 9;
pub(crate) const SMBUS: u32 = 10;

/// Output lines.
pub(crate) const SCI: u32 = 0;
pub(crate) const SMI: u32 = 1;

/// Timers.
pub(crate) const OVERFLOW: u32 = 0;

/// The most processors and memory slots: far above QEMU's own limits of 255 and
/// 256, and a bound to what a machine file can make the device allocate.
const MOST: usize = 4096;

/// The `build` of the description.
const BUILD: &str = if cfg!(feature = "traced") { "traced" } else { "" };

pub(crate) fn describe() -> Description {
    let attachment = Attachment::Pci;
    let summary = "Intel PIIX4 power management and SMBus host controller";
    Description {
        build: BUILD.into(),
        properties: properties(),
        regions: regions(),
        lines: vec![output("sci"), output("smi")],
        timers: vec!["overflow".into()],
        buses: vec![i2c_bus("smbus")],
        ..device("piix4-pm", env!("CARGO_PKG_VERSION"), summary, attachment)
    }
}

/// The access sizes are QEMU's.
fn regions() -> Vec<Region> {
    let any = aligned(1, 4);
    vec![
        configuration(),
        ports("pm1-event", 4, aligned(1, 2), aligned(2, 4)),
        ports("pm1-control", 2, aligned(1, 2), aligned(2, 4)),
        ports("pm-timer", 4, any, aligned(4, 4)),
        ports("gpe", 4, any, aligned(1, 1)),
        ports("apm", 2, any, aligned(1, 1)),
        ports("pci-hotplug", 0x18, aligned(4, 4), any),
        ports("cpu-bitmap", 32, aligned(1, 1), any),
        ports("cpu-hotplug", 12, any, any),
        ports("memory-hotplug", 0x18, any, any),
        ports("smbus", 64, aligned(1, 1), any),
    ]
}

fn properties() -> Vec<PropertyDeclaration> {
    vec![
        number("smb-io-base", 0xb100, "base of the SMBus registers at power-on"),
        flag("disable-s3", false, "firmware tables do not offer suspend to RAM"),
        flag("disable-s4", false, "firmware tables do not offer suspend to disk"),
        number("s4-val", 2, "sleep type that suspends to disk"),
        flag(
            "acpi-pci-hotplug-with-bridge-support",
            true,
            "PCI hot-plug registers for buses behind bridges",
        ),
        flag("memory-hotplug-support", true, "state of memory hot-plug is saved"),
        flag("x-not-migrate-acpi-index", false, "the ACPI index is not saved"),
        flag("smm-enabled", false, "the firmware has system management mode"),
        flag("smm-compat", false, "SCI_EN is the guest's also without SMM, as before QEMU 6.0"),
        flag("smbus-migration", true, "the SMBus controller is saved, as from QEMU 4.0 on"),
        flag("byte-access-to-pm1-cnt", true, "bytes of PM1_CNT by themselves, as in QEMU 10.0"),
        number("cpus", 1, "processors present"),
        number("memory-slots", 0, "slots for memory modules"),
        flag("com1", false, "a serial port at 0x3f8 is present"),
        flag("com2", false, "a serial port at 0x2f8 is present"),
        flag("parallel-port", false, "a parallel port at 0x378 is present"),
        number("fixed-slots", 3, "bit mask of PCI slots that can not be emptied"),
    ]
}

/// The values of the properties the device goes by. `disable-s3` and
/// `disable-s4` are not among them: in QEMU, too, they change the firmware's
/// tables and no register.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) smb_io_base: u16,
    pub(crate) s4_val: u8,
    pub(crate) bridges: bool,
    pub(crate) memory_hotplug: bool,
    pub(crate) save_acpi_index: bool,
    pub(crate) smm: bool,
    pub(crate) smm_compat: bool,
    pub(crate) save_smbus: bool,
    pub(crate) byte_access: bool,
    pub(crate) cpus: usize,
    pub(crate) memory_slots: usize,
    pub(crate) com1: bool,
    pub(crate) com2: bool,
    pub(crate) parallel_port: bool,
    pub(crate) fixed_slots: u32,
}

impl Options {
    pub(crate) fn new(properties: &Properties) -> Result<Self, String> {
        let smb_io_base = properties.number("smb-io-base")?;
        if smb_io_base % 64 != 0 {
            let expected = "a multiple of 64 expected";
            return Err(format!("property smb-io-base: {smb_io_base:#x}, {expected}"));
        }
        Ok(Self {
            smb_io_base,
            s4_val: properties.number("s4-val")?,
            bridges: properties.flag("acpi-pci-hotplug-with-bridge-support")?,
            memory_hotplug: properties.flag("memory-hotplug-support")?,
            save_acpi_index: !properties.flag("x-not-migrate-acpi-index")?,
            smm: properties.flag("smm-enabled")?,
            smm_compat: properties.flag("smm-compat")?,
            save_smbus: properties.flag("smbus-migration")?,
            byte_access: properties.flag("byte-access-to-pm1-cnt")?,
            cpus: count(properties, "cpus", 1)?,
            memory_slots: count(properties, "memory-slots", 0)?,
            com1: properties.flag("com1")?,
            com2: properties.flag("com2")?,
            parallel_port: properties.flag("parallel-port")?,
            fixed_slots: properties.number("fixed-slots")?,
        })
    }
}

fn count(properties: &Properties, name: &str, least: usize) -> Result<usize, String> {
    let count = properties.number(name)?;
    if (least..=MOST).contains(&count) {
        Ok(count)
    } else {
        Err(format!("property {name}: {count}, {least} to {MOST} expected"))
    }
}
