//! Memory.

use super::structure::{Structure, Tables};
use crate::config::Config;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

const ARRAY: u16 = 0x1000;

/// No error information.
const NO_ERRORS: u16 = 0xfffe;

/// The sizes of the modules, which QEMU invents.
fn modules(config: &Config) -> impl Iterator<Item = u64> {
    let (size, most) = (config.ram.size(), config.smbios.module_size);
    (0..size.div_ceil(most)).map(move |module| most.min(size - module * most))
}

/// Physical memory array (7.17).
pub(super) fn array(config: &Config, tables: &mut Tables) {
    const SYSTEM_BOARD_OR_OTHER: u8 = 1;
    const SYSTEM_MEMORY: u8 = 3;
    const MULTI_BIT_ECC: u8 = 6;
    const EXTENDED: u32 = 0x8000_0000;
    let size = config.ram.size();
    let kilobytes = u32::try_from(size / KIB).ok().filter(|size| *size < EXTENDED);
    let mut structure = Structure::new(16, ARRAY);
    structure.bytes(&[SYSTEM_BOARD_OR_OTHER, SYSTEM_MEMORY, MULTI_BIT_ECC]);
    structure.double_word(kilobytes.unwrap_or(EXTENDED)).word(NO_ERRORS);
    structure.word(u16::try_from(modules(config).count()).unwrap_or(u16::MAX));
    structure.quad_word(if kilobytes.is_none() { size } else { 0 });
    structure.add_to(tables);
}

/// Memory device (7.18), one for each module.
pub(super) fn devices(config: &Config, tables: &mut Tables) {
    const UNKNOWN_WIDTH: u16 = 0xffff;
    const DIMM: u8 = 9;
    const RAM: u8 = 7;
    const OTHER: u16 = 2;
    const EXTENDED: u16 = 0x7fff;
    for (number, size) in (0_u16..256).zip(modules(config)) {
        let megabytes = size.div_ceil(MIB);
        let short = u16::try_from(megabytes).ok().filter(|size| *size < EXTENDED);
        let mut structure = Structure::new(17, 0x1100 + number);
        structure.word(ARRAY).word(NO_ERRORS).word(UNKNOWN_WIDTH).word(UNKNOWN_WIDTH);
        structure.word(short.unwrap_or(EXTENDED)).bytes(&[DIMM, 0]);
        structure.string(&format!("DIMM {number}")).string("").bytes(&[RAM]).word(OTHER).word(0);
        structure.string(&config.smbios.manufacturer).string("").string("").string("");
        structure.bytes(&[0]).double_word(if short.is_none() { megabytes as u32 } else { 0 });
        structure.word(0).word(0).word(0).word(0);
        structure.add_to(tables);
    }
}

/// Memory array mapped address (7.20), one for each range of RAM.
pub(super) fn mapped_addresses(config: &Config, tables: &mut Tables) {
    for (number, (start, size)) in (0..).zip(config.ram.ranges()) {
        let end = start + size - 1;
        let short =
            |address: u64| u32::try_from(address / KIB).ok().filter(|address| *address != u32::MAX);
        let mut structure = Structure::new(19, 0x1300 + number);
        let (first, last, long) = match (short(start), short(end)) {
            (Some(first), Some(last)) => (first, last, (0, 0)),
            _ => (u32::MAX, u32::MAX, (start, end)),
        };
        structure.double_word(first).double_word(last).word(ARRAY).bytes(&[1]);
        structure.quad_word(long.0).quad_word(long.1);
        structure.add_to(tables);
    }
}
