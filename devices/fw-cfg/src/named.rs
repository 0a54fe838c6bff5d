//! The files that QEMU makes.

use crate::config::Config;
use crate::directory::Directory;
use crate::given::Given;
use crate::{e820, smbios};

/// Bit 7: the guest may enter this of the states S0 to S5.
const CAN_ENTER: u8 = 0x80;

pub(crate) fn add(config: &Config, given: &Given, directory: &mut Directory) -> Result<(), String> {
    if let Some(time) = config.splash_time {
        directory.add_bytes("etc/boot-menu-wait", time.to_le_bytes());
    }
    directory.add_bytes("etc/boot-fail-wait", config.reboot_timeout.to_le_bytes());
    if !config.smbios.is_legacy {
        let (tables, anchor) = smbios::tables(config)?;
        directory.add_bytes("etc/smbios/smbios-tables", tables);
        directory.add_bytes("etc/smbios/smbios-anchor", anchor);
    }
    directory.add_bytes("etc/e820", e820::map(config));
    if config.reserved_memory_end != 0 {
        let end = config.reserved_memory_end.to_le_bytes();
        directory.add_bytes("etc/reserved-memory-end", end);
    }
    directory.add_bytes("etc/system-states", system_states(config));
    if config.acpi {
        directory.add_bytes("etc/tpm/log", []);
    }
    directory.add_bytes("bootorder", boot_order(config, given));
    if !config.by_rank {
        directory.add_bytes("bios-geometry", ended(&config.bios_geometry));
    }
    Ok(())
}

/// For each sleeping state what the guest writes to enter it, and whether it may.
fn system_states(config: &Config) -> [u8; 6] {
    let can = |may: bool| if may { CAN_ENTER } else { 0 };
    [CAN_ENTER, 0, 0, can(config.s3) | 1, can(config.s4) | config.s4_value, CAN_ENTER]
}

/// What starts a kernel comes before all else.
fn boot_order(config: &Config, given: &Given) -> Vec<u8> {
    let rom = given.boot_rom.filter(|_| given.kernel.is_some());
    let mut lines: Vec<&str> = rom.into_iter().collect();
    lines.extend(config.boot_order.lines());
    ended(&lines.join("\n"))
}

/// A text with a zero behind it, unless it is empty.
fn ended(text: &str) -> Vec<u8> {
    let end = if text.is_empty() { &[][..] } else { &[0] };
    [text.as_bytes(), end].concat()
}
