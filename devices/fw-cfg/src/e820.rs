//! The map of the guest's memory, as INT 15h, AX=E820h gives it (ACPI 6.5, 15.1).

use crate::config::Config;

/// The types of ranges.
const RAM: u32 = 1;
const RESERVED: u32 = 2;

/// What AMD's processors keep for HyperTransport, up to 1 TiB and beyond.
const AMD_HOLE: (u64, u64) = (0xfd_0000_0000, 0x3_0000_0000);

/// Pages a hypervisor needs below 4 GiB.
const IDENTITY_MAP_SIZE: u64 = 0x4000;

/// Ranges in the order in which QEMU finds them.
pub(crate) fn map(config: &Config) -> Vec<u8> {
    let mut ranges = Vec::new();
    if config.identity_map != 0 {
        ranges.push((config.identity_map, IDENTITY_MAP_SIZE, RESERVED));
    }
    if config.amd_hole {
        ranges.push((AMD_HOLE.0, AMD_HOLE.1, RESERVED));
    }
    // The first range is there even if it is empty.
    let ram = config.ram;
    ranges.push((0, ram.below_4g, RAM));
    if ram.above_4g > 0 {
        ranges.push((ram.above_4g_start, ram.above_4g, RAM));
    }
    let mut data = Vec::new();
    for (address, length, kind) in ranges {
        data.extend(address.to_le_bytes());
        data.extend(length.to_le_bytes());
        data.extend(kind.to_le_bytes());
    }
    data
}
