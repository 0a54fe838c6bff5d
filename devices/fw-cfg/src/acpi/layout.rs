//! How the tables differ from machine to machine, apart from its devices.

use firmware_acpi::{Format, HotplugInterface};
use southbridge_sdk::Properties;
use southbridge_sdk::describe::{flag, number};
use southbridge_sdk::wit::PropertyDeclaration;

use crate::config::{GIB, LARGEST_MEMORY};

/// The registers at the base that firmware gives to power management (PIIX4 data
/// sheet, 7.2.2).
const PM_LENGTH: u16 = 64;

/// The longest AML that QEMU has ever made a legacy machine's room for.
const LARGEST_AML: u32 = 0x1_0000;

/// The properties, checked.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(super) pm_base: u16,
    pub(super) format: Format,
    pub(super) processor_hotplug: HotplugInterface,
    pub(super) pci_root_uid: u8,
    /// The least length of PCI's window above memory; none if only what firmware
    /// places there makes one.
    pub(super) high_window: Option<u64>,
}

pub(crate) fn declared() -> [PropertyDeclaration; 7] {
    [
        number("pm-io-base", 0x600, "Where firmware puts the power management registers"),
        flag("rsdp-in-ram", true, "The root pointer's file is 20 bytes, not 36 (off up to 2.2)"),
        number(
            "legacy-acpi-table-size",
            0,
            "AML the tables have room for (6652 in 2.0); 0: 128 KiB",
        ),
        flag("legacy-cpu-hotplug", false, "Processors are plugged by a bitmap (on up to 2.6)"),
        number("pci-root-uid", 0, "The host bridge's unique id (1 up to 5.1)"),
        flag("x-pci-hole64-fix", true, "There is always a window above memory (off up to 2.10)"),
        number("pci-hole64-size", 2 * GIB, "Least bytes of that window"),
    ]
}

impl Layout {
    pub(crate) fn new(p: &Properties) -> Result<Self, String> {
        let pm_base: u16 = p.number("pm-io-base")?;
        if !pm_base.is_multiple_of(PM_LENGTH) {
            return Err(format!("property pm-io-base: {pm_base:#x}, a multiple of 64 expected"));
        }
        let aml: u32 = p.number("legacy-acpi-table-size")?;
        if aml > LARGEST_AML {
            return Err(format!(
                "property legacy-acpi-table-size: {aml:#x}, expected at most {LARGEST_AML:#x}"
            ));
        }
        let size: u64 = p.number("pci-hole64-size")?;
        if size > LARGEST_MEMORY {
            return Err(format!(
                "property pci-hole64-size: {size:#x}, expected at most {LARGEST_MEMORY:#x}"
            ));
        }
        let format = match (aml, p.flag("rsdp-in-ram")?) {
            (0, true) => Format::Current,
            (0, false) => Format::LongPointer,
            (aml, _) => Format::Legacy { aml },
        };
        let by_bitmap = p.flag("legacy-cpu-hotplug")?;
        Ok(Self {
            pm_base,
            format,
            processor_hotplug: match by_bitmap {
                true => HotplugInterface::Bitmap,
                false => HotplugInterface::Selector,
            },
            pci_root_uid: p.number("pci-root-uid")?,
            high_window: (p.flag("x-pci-hole64-fix")? && size > 0).then_some(size),
        })
    }
}
