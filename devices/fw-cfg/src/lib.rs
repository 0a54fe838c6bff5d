//! QEMU's firmware configuration device on a PC: `fw_cfg_io`.
//!
//! Firmware selects an entry by writing its number to port 0x510 and reads it
//! byte by byte from port 0x511. Where there is DMA, a structure in memory, whose
//! address is written to ports 0x514 to 0x51b, says what to read and where to.
//! The reference is QEMU 7.2 and its document "QEMU Firmware Configuration
//! (fw_cfg) Device".
//!
//! # Entries that are not files
//!
//! | number | contents | property or file |
//! |---|---|---|
//! | 0x00 | `QEMU` | |
//! | 0x01 | 1, or 3 with DMA | `dma_enabled` |
//! | 0x02 | the UUID | `uuid` |
//! | 0x03 | bytes of RAM | `below-4g-mem-size`, `above-4g-mem-size` |
//! | 0x04 | whether there is no display | `nographic` |
//! | 0x05, 0x0f | processors; one above the greatest APIC id | `smp-cpus`, `max-cpus`, `sockets`, `cores`, `threads` |
//! | 0x07, 0x08, 0x11 | the kernel behind its setup part | file `kernel` |
//! | 0x0a, 0x0b, 0x12 | the initrd | file `initrd` |
//! | 0x0d | NUMA nodes | `numa` |
//! | 0x0e | whether to offer a boot menu | `boot-menu` |
//! | 0x13 to 0x15 | the kernel's command line | file `cmdline` |
//! | 0x16 to 0x18 | the kernel's setup part, filled in | file `kernel` |
//! | 0x19 | the directory of files | `x-file-slots` |
//! | 0x8001 | SMBIOS's fields, up to pc-i440fx-2.0 | `smbios-*`, `uuid` |
//! | 0x8002 | 1: IRQ 0 is wired to pin 2 of the I/O APIC | |
//! | 0x8004 | the HPET | `hpet`, `devices` |
//!
//! # Files
//!
//! Sorted by name, or on old machines (`legacy-fw-cfg-order`) by a fixed rank.
//!
//! | name | contents | property |
//! |---|---|---|
//! | `bootorder` | what to boot; before it the ROM that starts a kernel | `bootorder` |
//! | `bios-geometry` | geometries of disks; not where files are not sorted | `bios-geometry` |
//! | `etc/acpi/tables`, `etc/acpi/rsdp`, `etc/table-loader` | ACPI, where its tables are known | `devices`, `acpi` and those below |
//! | `etc/boot-fail-wait`, `etc/boot-menu-wait` | times in milliseconds | `reboot-timeout`, `splash-time` |
//! | `etc/e820` | the memory map | `*-mem-size`, `amd-1tb-hole`, `identity-map-base` |
//! | `etc/reserved-memory-end` | the end of hotplugged memory | `reserved-memory-end` |
//! | `etc/smbios/smbios-tables`, `etc/smbios/smbios-anchor` | SMBIOS from pc-i440fx-2.1 on | `smbios-*`, `uuid`, `cpu-*` |
//! | `etc/system-states` | sleeping states | `disable_s3`, `disable_s4`, `s4_val` |
//! | `etc/tpm/log` | nothing; it is there with ACPI | `acpi` |
//!
//! All that the host gives under other names than `kernel`, `initrd` and `cmdline`
//! is a file of that name: `opt/...` of the operator, option ROMs as
//! `genroms/...` and `vgaroms/...`. A kernel is a whole bzImage; to be started by
//! a BIOS it needs the option ROM `genroms/linuxboot_dma.bin`, or
//! `genroms/linuxboot.bin` without DMA. Given files stay with the host.
//!
//! # ACPI
//!
//! The host lists the machine's devices in `devices`, one a line, e.g. `piix3 at 01.0
//! interrupt-lines=4`. Without that list, or without an i440FX, a PIIX3 and a
//! PIIX4's power management in it, there are no tables. How these are laid out
//! follows from the machine's version: `rsdp-in-ram`, `legacy-acpi-table-size`,
//! `legacy-cpu-hotplug`, `pci-root-uid`, `x-pci-hole64-fix`.
//!
//! # Where QEMU differs
//!
//! The tables are made once, with power management at `pm-io-base` and no PCI memory
//! above 4 GiB; QEMU makes them when firmware asks for them, and takes what firmware
//! has programmed by then. NUMA nodes and memory to be plugged are not in them.
//! Whether a DMA transfer failed follows from where RAM is, not from what the chipset
//! shows in place of it: a read into ROM below 1 MiB counts as done. The operator's
//! files are in the order of their names also where the directory is not sorted.

mod acpi;
mod config;
mod content;
mod devices;
mod directory;
mod dma;
mod e820;
mod entries;
mod given;
mod linux;
mod named;
mod numa;
mod numeric;
mod ports;
mod ram;
mod regs;
mod smbios;
mod state;
mod topology;
mod uuid;

use southbridge_sdk::describe::{aligned, device, ports};
use southbridge_sdk::state::Sections;
use southbridge_sdk::wit::{Attachment, Description};
use southbridge_sdk::{Context, Device, FirmwareFiles, Properties};

use acpi::Tables;
use config::Config;
use directory::Directory;
use entries::Entries;
use given::Given;
use ram::Ram;
use regs::Selector;
use state::AcpiSizes;

/// The regions, and where they are.
const IO: u32 = 0;
const IO_PORT: u64 = 0x510;
const DMA: u32 = 1;
const DMA_PORT: u64 = 0x514;

/// The device.
#[derive(Clone, Debug)]
pub struct FwCfg {
    cur_entry: Selector,
    cur_offset: u32,
    /// The address of the structure that describes a transfer, as far as it has
    /// been written.
    dma_addr: u64,
    acpi_sizes: AcpiSizes,
    /// What follows from the properties and the files alone.
    entries: Entries,
    ram: Ram,
    dma: bool,
    acpi_mr_restore: bool,
}

impl FwCfg {
    fn new(config: &Config, acpi: Option<Tables>, cx: &mut Context<'_>) -> Result<Self, String> {
        let mut entries = Entries::new(config.slots);
        let mut directory = Directory::default();
        let given = Given::sort(cx, &mut directory)?;
        numeric::add(config, &mut entries);
        named::add(config, &given, &mut directory)?;
        let acpi = acpi.filter(|_| config.acpi);
        let acpi_sizes = acpi.map(|tables| tables.add_to(&mut directory)).unwrap_or_default();
        if let Some(kernel) = given.kernel {
            linux::add(cx, config, &given, kernel, &mut entries)?;
        }
        directory.place(&mut entries, config.slots, config.by_rank)?;
        cx.map(IO, IO_PORT, 0);
        if config.dma {
            cx.map(DMA, DMA_PORT, 0);
        }
        Ok(Self {
            cur_entry: Selector::default(),
            cur_offset: 0,
            dma_addr: 0,
            acpi_sizes,
            entries,
            ram: config.ram,
            dma: config.dma,
            acpi_mr_restore: config.acpi_mr_restore,
        })
    }
}

impl Device for FwCfg {
    fn describe() -> Description {
        let summary = "Firmware configuration device (fw_cfg)";
        Description {
            properties: config::declared(),
            regions: vec![
                ports("fwcfg", 2, aligned(1, 4), aligned(1, 4)),
                ports("fwcfg.dma", 8, aligned(1, 8), aligned(1, 8)),
            ],
            ..device("fw-cfg", env!("CARGO_PKG_VERSION"), summary, Attachment::System)
        }
    }

    fn configure(properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        let config = Config::new(properties)?;
        let acpi = acpi::build(&config)?;
        Self::new(&config, acpi, cx)
    }

    /// As in QEMU, entry 0 is selected, and a half address stays.
    fn reset(&mut self, _cx: &mut Context<'_>) {
        self.select(0);
    }

    fn io_read(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, size: u8) -> u64 {
        match region {
            IO => self.read_data(cx, size).into(),
            _ => Self::read_dma(offset, size),
        }
    }

    fn io_write(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, size: u8, value: u64) {
        match region {
            IO => self.write_selector(size, value),
            _ => self.write_dma(cx, offset, size, value),
        }
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        self.walk(sections);
    }

    fn loaded(&mut self, _cx: &mut Context<'_>) -> Result<(), String> {
        Ok(())
    }
}

/// Nothing is selected by it, and no file can be written: QEMU's PC has one that can
/// only with devices that are not here.
impl FirmwareFiles for FwCfg {
    fn read(&mut self, cx: &mut Context<'_>, name: &str, most: u32) -> Option<Vec<u8>> {
        let content = self.entries.file(name)?;
        (content.len() <= most).then(|| content.bytes(cx))
    }
}

southbridge_sdk::export!(FwCfg, firmware_files);

#[cfg(test)]
mod tests;
