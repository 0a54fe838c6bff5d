//! Entries that are not files.

use crate::config::Config;
use crate::entries::{Entries, key};
use crate::smbios;

/// The identification: the interface is the traditional one, and the second bit
/// says that there is DMA too.
const TRADITIONAL: u32 = 1;
const DMA: u32 = 2;

/// Room for eight HPETs, each 15 bytes, behind their number.
const HPET_SIZE: usize = 1 + 8 * 15;

/// The HPET's capabilities, where it is (IA-PC HPET 1.0a, 2.3.4).
const HPET_BLOCK: u32 = 0x8086_a201;
const HPET_ADDRESS: u64 = 0xfed0_0000;

pub(crate) fn add(config: &Config, entries: &mut Entries) {
    let Config { topology, ram, .. } = config;
    entries.set_bytes(key::SIGNATURE, *b"QEMU");
    entries.set_u32(key::ID, if config.dma { TRADITIONAL | DMA } else { TRADITIONAL });
    entries.set_bytes(key::UUID, config.uuid.map_or([0; 16], |uuid| uuid.0));
    entries.set_u64(key::RAM_SIZE, ram.size());
    entries.set_u16(key::NOGRAPHIC, config.nographic.into());
    entries.set_u16(key::NB_CPUS, topology.present);
    entries.set_bytes(key::NUMA, config.numa.encode(topology));
    entries.set_u16(key::BOOT_MENU, config.boot_menu.into());
    entries.set_u16(key::MAX_CPUS, topology.apic_id_limit() as u16);
    entries.set_bytes(key::ACPI_TABLES, []);
    entries.set_u32(key::IRQ0_OVERRIDE, 1);
    entries.set_bytes(key::HPET, hpet(config.hpet));
    if config.smbios.is_legacy {
        entries.set_bytes(key::SMBIOS_ENTRIES, smbios::legacy::fields(config));
    }
}

/// Where there is none, their number is not known.
fn hpet(is_there: bool) -> Vec<u8> {
    let mut data = vec![if is_there { 1 } else { 0xff }];
    if is_there {
        data.extend(HPET_BLOCK.to_le_bytes());
        data.extend(HPET_ADDRESS.to_le_bytes());
    }
    data.resize(HPET_SIZE, 0);
    data
}
