//! The machine, its case, its processors.

use super::structure::{Structure, Tables};
use crate::config::Config;

/// Table 16: other, unknown; what is not known of a cache's handle.
const OTHER: u8 = 1;
const UNKNOWN: u8 = 2;
const NO_HANDLE: u16 = 0xffff;

/// Megahertz that QEMU's processors claim to have.
const SPEED: u16 = 2000;

/// System information (7.2).
pub(super) fn information(config: &Config, tables: &mut Tables) {
    const POWER_SWITCH: u8 = 6;
    let uuid = config
        .uuid
        .map_or([0; 16], |uuid| if config.smbios.uuid_encoded { uuid.encoded() } else { uuid.0 });
    let mut structure = Structure::new(1, 0x100);
    let smbios = &config.smbios;
    structure.string(&smbios.manufacturer).string(&smbios.product).string(&smbios.version);
    structure.string("").bytes(&uuid).bytes(&[POWER_SWITCH]).string("").string("");
    structure.add_to(tables);
}

/// System enclosure (7.4).
pub(super) fn enclosure(config: &Config, tables: &mut Tables) {
    const SAFE: u8 = 3;
    let mut structure = Structure::new(3, 0x300);
    structure.string(&config.smbios.manufacturer).bytes(&[OTHER]).string(&config.smbios.version);
    structure.string("").string("");
    structure.bytes(&[SAFE, SAFE, SAFE, UNKNOWN]).bytes(&[0; 8]).string("");
    structure.add_to(tables);
}

/// Processor information (7.5), one for each socket that is filled.
pub(super) fn processors(config: &Config, tables: &mut Tables) {
    const CENTRAL_PROCESSOR: u8 = 3;
    const POPULATED_AND_ENABLED: u8 = 0x41;
    const UNKNOWN_CHARACTERISTICS: u16 = 2;
    let topology = config.topology;
    let byte = |count: u32| u8::try_from(count).unwrap_or(u8::MAX);
    let cores = byte(topology.cores.into());
    let threads = byte(u32::from(topology.cores) * u32::from(topology.threads));
    for socket in 0..topology.present_sockets() {
        let mut structure = Structure::new(4, 0x400 + socket);
        structure.string(&format!("CPU {socket}")).bytes(&[CENTRAL_PROCESSOR, OTHER]);
        structure.string(&config.smbios.manufacturer);
        structure.double_word(config.cpu_version).double_word(config.cpu_features);
        structure.string(&config.smbios.version).bytes(&[0]).word(0).word(SPEED).word(SPEED);
        structure.bytes(&[POPULATED_AND_ENABLED, OTHER]);
        structure.word(NO_HANDLE).word(NO_HANDLE).word(NO_HANDLE);
        structure.string("").string("").string("").bytes(&[cores, cores, threads]);
        structure.word(UNKNOWN_CHARACTERISTICS).word(OTHER.into());
        structure.add_to(tables);
    }
}

/// System boot information (7.33): no errors.
pub(super) fn boot_information(tables: &mut Tables) {
    Structure::new(32, 0x2000).bytes(&[0; 7]).add_to(tables);
}

/// End of table (7.45).
pub(super) fn end(tables: &mut Tables) {
    Structure::new(127, 0x7f00).add_to(tables);
}
