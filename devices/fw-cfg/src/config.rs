//! The machine that firmware is told about: the device's properties.

use southbridge_sdk::Properties;
use southbridge_sdk::describe::{flag, number, text};
use southbridge_sdk::wit::PropertyDeclaration;

use crate::acpi::layout::{self, Layout};
use crate::devices::{Devices, Listed};
use crate::numa::Numa;
use crate::ram::Ram;
use crate::topology::Topology;
use crate::uuid::Uuid;

/// A number that is not there.
const NONE: u64 = 0xffff_ffff;

pub(crate) const GIB: u64 = 1 << 30;

/// The greatest memory: what a processor's 52 bits of physical address reach.
pub(crate) const LARGEST_MEMORY: u64 = 1 << 52;

/// The fewest files QEMU lets a machine have, and the most this one does.
const SLOTS: std::ops::RangeInclusive<u16> = 0x10..=0x100;

/// The properties, checked.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) dma: bool,
    pub(crate) slots: u16,
    pub(crate) acpi_mr_restore: bool,
    pub(crate) by_rank: bool,
    pub(crate) ram: Ram,
    pub(crate) amd_hole: bool,
    pub(crate) identity_map: u64,
    pub(crate) reserved_memory_end: u64,
    pub(crate) acpi_data_size: u64,
    pub(crate) topology: Topology,
    pub(crate) numa: Numa,
    pub(crate) cpu_version: u32,
    pub(crate) cpu_features: u32,
    pub(crate) uuid: Option<Uuid>,
    pub(crate) nographic: bool,
    pub(crate) boot_menu: bool,
    pub(crate) splash_time: Option<u16>,
    pub(crate) reboot_timeout: u32,
    pub(crate) boot_order: String,
    pub(crate) bios_geometry: String,
    pub(crate) hpet: bool,
    pub(crate) acpi: bool,
    pub(crate) s3: bool,
    pub(crate) s4: bool,
    pub(crate) s4_value: u8,
    pub(crate) smbios: Smbios,
    pub(crate) devices: Devices,
    pub(crate) layout: Layout,
}

/// What SMBIOS says.
#[derive(Clone, Debug)]
pub(crate) struct Smbios {
    /// Single fields for firmware to put into its tables, in place of tables.
    pub(crate) is_legacy: bool,
    pub(crate) uuid_encoded: bool,
    pub(crate) manufacturer: String,
    pub(crate) product: String,
    pub(crate) version: String,
    /// Bytes of the largest memory module.
    pub(crate) module_size: u64,
}

pub(crate) fn declared() -> Vec<PropertyDeclaration> {
    let mut declared = vec![
        flag("dma_enabled", true, "Offer the DMA interface (off up to pc-i440fx-2.4)"),
        number("x-file-slots", 0x20, "Files there is room for (16 up to pc-i440fx-2.8)"),
        flag("acpi-mr-restore", true, "Save the sizes of ACPI's files (off up to 4.2)"),
        flag("legacy-fw-cfg-order", false, "Do not sort files by name (on up to 2.5)"),
        number("below-4g-mem-size", 0, "Bytes of RAM from address 0 on"),
        number("above-4g-mem-size", 0, "Bytes of RAM above 4 GiB"),
        number("above-4g-mem-start", 4 * GIB, "Where RAM above 4 GiB begins"),
        flag("amd-1tb-hole", false, "Reserve the range below 1 TiB (AMD from 7.1 on)"),
        number("identity-map-base", 0, "Four reserved pages of the hypervisor; 0: none"),
        number("reserved-memory-end", 0, "End of the room for hotplugged memory; 0: none"),
        number("acpi-data-size", 0x2_8000, "Bytes kept from an initrd (0x10000 up to 2.0)"),
        number("smp-cpus", 1, "Processors that are there"),
        number("max-cpus", 1, "Processors there can be"),
        number("sockets", 1, "Sockets"),
        number("cores", 1, "Cores in a socket"),
        number("threads", 1, "Threads of a core"),
        text("numa", "", "Nodes, e.g. `1073741824:0-1,4 1073741824:2-3`: bytes and processors"),
        number("cpu-version", 0, "EAX of the processors' CPUID leaf 1"),
        number("cpu-features", 0, "EDX of the processors' CPUID leaf 1"),
        text("uuid", "", "The machine's UUID; empty: none"),
        flag("nographic", false, "There is no display"),
        flag("boot-menu", false, "Offer a boot menu"),
        number("splash-time", NONE, "Milliseconds the boot menu waits; 0xffffffff: not said"),
        number("reboot-timeout", NONE, "Milliseconds until another try to boot; 0xffffffff: none"),
        text("bootorder", "", "Open Firmware paths of what to boot, one a line"),
        text("bios-geometry", "", "Geometries of disks, one a line"),
        flag("hpet", true, "There is an HPET, if `devices` does not say"),
        flag("acpi", true, "The machine has ACPI"),
        flag("disable_s3", false, "No suspending to RAM"),
        flag("disable_s4", false, "No suspending to disk"),
        number("s4_val", 2, "What the guest writes to suspend to disk"),
        flag("smbios-legacy-mode", false, "Single SMBIOS fields, no tables (on up to 2.0)"),
        flag("smbios-uuid-encoded", true, "The UUID in SMBIOS's order of bytes (off up to 2.1)"),
        text("smbios-manufacturer", "QEMU", "Manufacturer of the machine"),
        text("smbios-product", "Standard PC (i440FX + PIIX, 1996)", "Name of the machine"),
        text("smbios-version", "pc-i440fx-7.2", "Version of the machine: its type"),
        number("smbios-memory-device-size", 16 * GIB, "Largest module (2 TiB from 9.1 on)"),
        text("devices", "", "The machine's devices, one a line; empty: not said, and no ACPI"),
    ];
    declared.extend(layout::declared());
    declared
}

impl Config {
    pub(crate) fn new(p: &Properties) -> Result<Self, String> {
        let topology = Topology {
            present: p.number("smp-cpus")?,
            most: p.number("max-cpus")?,
            sockets: p.number("sockets")?,
            cores: p.number("cores")?,
            threads: p.number("threads")?,
        };
        topology.check()?;
        let slots = p.number("x-file-slots")?;
        if !SLOTS.contains(&slots) {
            return Err(format!("property x-file-slots: {slots}, expected {SLOTS:?}"));
        }
        let optional = |name| -> Result<Option<u16>, String> {
            let is_none = p.number::<u64>(name)? == NONE;
            if is_none { Ok(None) } else { p.number(name).map(Some) }
        };
        let devices = Devices::parse(p.text("devices")?)?;
        let sleep = Sleep::new(p, devices.find("piix4-pm"))?;
        Ok(Self {
            dma: p.flag("dma_enabled")?,
            slots,
            acpi_mr_restore: p.flag("acpi-mr-restore")?,
            by_rank: p.flag("legacy-fw-cfg-order")?,
            ram: ram(p)?,
            amd_hole: p.flag("amd-1tb-hole")?,
            identity_map: p.number("identity-map-base")?,
            reserved_memory_end: p.number("reserved-memory-end")?,
            acpi_data_size: p.number("acpi-data-size")?,
            numa: Numa::parse(p.text("numa")?, &topology)?,
            topology,
            cpu_version: p.number("cpu-version")?,
            cpu_features: p.number("cpu-features")?,
            uuid: Uuid::parse(p.text("uuid")?)?,
            nographic: p.flag("nographic")?,
            boot_menu: p.flag("boot-menu")?,
            splash_time: optional("splash-time")?,
            reboot_timeout: p.number("reboot-timeout")?,
            boot_order: plain(p, "bootorder")?,
            bios_geometry: plain(p, "bios-geometry")?,
            hpet: match devices.is_empty() {
                true => p.flag("hpet")?,
                false => devices.find("hpet").is_some(),
            },
            acpi: p.flag("acpi")?,
            s3: sleep.s3,
            s4: sleep.s4,
            s4_value: sleep.s4_value,
            smbios: Smbios {
                is_legacy: p.flag("smbios-legacy-mode")?,
                uuid_encoded: p.flag("smbios-uuid-encoded")?,
                manufacturer: plain(p, "smbios-manufacturer")?,
                product: plain(p, "smbios-product")?,
                version: plain(p, "smbios-version")?,
                module_size: module_size(p)?,
            },
            devices,
            layout: Layout::new(p)?,
        })
    }
}

/// Which sleeping states there are.
struct Sleep {
    s3: bool,
    s4: bool,
    s4_value: u8,
}

impl Sleep {
    /// By this device's properties, and by those of power management, which are
    /// QEMU's names for them.
    fn new(p: &Properties, pm: Option<&Listed>) -> Result<Self, String> {
        let off = |name| pm.map_or(Ok(false), |pm| pm.get(name, false));
        let value = p.number("s4_val")?;
        Ok(Self {
            s3: !(p.flag("disable_s3")? || off("disable-s3")?),
            s4: !(p.flag("disable_s4")? || off("disable-s4")?),
            s4_value: pm.map_or(Ok(value), |pm| pm.get("s4-val", value))?,
        })
    }
}

fn ram(p: &Properties) -> Result<Ram, String> {
    let size = |name: &str, most: u64| -> Result<u64, String> {
        let size: u64 = p.number(name)?;
        if size > most {
            return Err(format!("property {name}: {size:#x}, expected at most {most:#x}"));
        }
        Ok(size)
    };
    Ok(Ram {
        below_4g: size("below-4g-mem-size", 4 * GIB)?,
        above_4g: size("above-4g-mem-size", LARGEST_MEMORY)?,
        above_4g_start: size("above-4g-mem-start", LARGEST_MEMORY)?,
    })
}

fn module_size(p: &Properties) -> Result<u64, String> {
    let size: u64 = p.number("smbios-memory-device-size")?;
    if !(GIB..=LARGEST_MEMORY).contains(&size) {
        return Err(format!(
            "property smbios-memory-device-size: {size:#x}, expected {GIB:#x} to {LARGEST_MEMORY:#x}"
        ));
    }
    Ok(size)
}

/// A text without zeros, which would end it too early where the guest reads it.
fn plain(p: &Properties, name: &str) -> Result<String, String> {
    let text = p.text(name)?;
    if text.contains('\0') {
        return Err(format!("property {name}: {text:?}, expected no zeros in it"));
    }
    Ok(text.into())
}
