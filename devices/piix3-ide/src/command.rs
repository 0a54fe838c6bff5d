//! Commands to drive 0 of a channel that nothing is attached to. No register
//! shows what became of them, but the channel raises its interrupt, and the
//! saved state has the rest.

use crate::drive::{
    ABORTED, DIAGNOSTICS_PASSED, Drive, ERROR, MOST_MULTIPLE, READY, SEEK_COMPLETE,
};

/// Commands, with the names of ATA-4.
mod code {
    pub(super) const RECALIBRATE: u8 = 0x10;
    pub(super) const READ_VERIFY: u8 = 0x40;
    pub(super) const READ_VERIFY_ONCE: u8 = 0x41;
    pub(super) const READ_VERIFY_EXT: u8 = 0x42;
    pub(super) const SEEK: u8 = 0x70;
    pub(super) const DIAGNOSTIC: u8 = 0x90;
    pub(super) const SET_MULTIPLE: u8 = 0xc6;
    pub(super) const FLUSH_CACHE: u8 = 0xe7;
    pub(super) const FLUSH_CACHE_EXT: u8 = 0xea;
    /// CFA WEAR LEVEL.
    pub(super) const WEAR_LEVEL: u8 = 0xf5;

    /// Power management but for its checks, old codes and new ones.
    pub(super) const POWER: [u8; 10] = [0x94, 0x95, 0x96, 0x97, 0x99, 0xe0, 0xe1, 0xe2, 0xe3, 0xe6];
    pub(super) const CHECK_POWER_MODE: [u8; 2] = [0x98, 0xe5];
}

/// The drive does not stand by.
const ACTIVE: u32 = 0xff;

/// Performs a command as QEMU does, which aborts what needs a drive and says
/// that the rest is done. One case is simpler: SMART, which QEMU lets software
/// enable even there, is always aborted.
pub(crate) fn perform(drive: &mut Drive, command: u8) {
    let done = READY | SEEK_COMPLETE;
    (drive.status, drive.error) = (done, 0);
    match command {
        code::RECALIBRATE | code::SEEK | code::FLUSH_CACHE | code::FLUSH_CACHE_EXT => {}
        code::READ_VERIFY | code::READ_VERIFY_ONCE => {
            drive.lba48 = false;
            drive.sectors = if drive.sectors == 0 { 0x100 } else { drive.sectors };
        }
        code::READ_VERIFY_EXT => {
            drive.lba48 = true;
            let sectors = u32::from(drive.previous_sectors) << 8 | drive.sectors;
            drive.sectors = if sectors == 0 { 0x1_0000 } else { sectors };
        }
        code::DIAGNOSTIC => {
            drive.sign();
            drive.error = DIAGNOSTICS_PASSED;
        }
        code::WEAR_LEVEL => drive.sectors = 0,
        code::SET_MULTIPLE if is_multiple(drive.sectors) => {
            drive.multiple = i32::from(drive.sectors as u8);
        }
        _ if code::POWER.contains(&command) => drive.status = READY,
        _ if code::CHECK_POWER_MODE.contains(&command) => drive.sectors = ACTIVE,
        _ => (drive.status, drive.error) = (READY | ERROR, ABORTED),
    }
}

/// Whether so many sectors can be moved at once; 0 switches READ MULTIPLE off.
/// A count that an earlier command has widened is no power of two for QEMU.
fn is_multiple(sectors: u32) -> bool {
    let count = sectors as u8;
    count == 0 || count <= MOST_MULTIPLE && sectors.is_power_of_two()
}
