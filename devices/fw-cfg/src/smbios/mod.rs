//! What the guest's SMBIOS says of the machine (DMTF DSP0134, version 2.8).

pub(crate) mod legacy;
mod memory;
mod structure;
mod system;

use crate::config::Config;
use structure::Tables;

/// SMBIOS's version, and its BCD form.
const VERSION: [u8; 2] = [2, 8];
const BCD: u8 = 0x28;

/// The structures, and the entry point without checksums and address, which
/// firmware puts in.
pub(crate) fn tables(config: &Config) -> Result<(Vec<u8>, Vec<u8>), String> {
    let mut tables = Tables::default();
    system::information(config, &mut tables);
    system::enclosure(config, &mut tables);
    system::processors(config, &mut tables);
    memory::array(config, &mut tables);
    memory::devices(config, &mut tables);
    memory::mapped_addresses(config, &mut tables);
    system::boot_information(&mut tables);
    system::end(&mut tables);
    let length = u16::try_from(tables.data.len())
        .map_err(|_| format!("SMBIOS: {} bytes, expected less than 64 KiB", tables.data.len()))?;
    let anchor = anchor(&tables, length);
    Ok((tables.data, anchor))
}

/// The entry point structure (5.2.1).
fn anchor(tables: &Tables, length: u16) -> Vec<u8> {
    const LENGTH: u8 = 0x1f;
    let mut anchor = b"_SM_\0".to_vec();
    anchor.push(LENGTH);
    anchor.extend(VERSION);
    anchor.extend(tables.largest.to_le_bytes());
    anchor.extend([0; 6]);
    anchor.extend(b"_DMI_\0");
    anchor.extend(length.to_le_bytes());
    anchor.extend([0; 4]);
    anchor.extend(tables.count.to_le_bytes());
    anchor.push(BCD);
    anchor
}
