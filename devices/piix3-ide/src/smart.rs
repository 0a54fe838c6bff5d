//! SMART (ATA-4, 8.41), with a drive that never grows older.

use crate::drive::Drive;

/// What a SMART command leads to.
pub(crate) enum Outcome {
    Done,
    /// 512 bytes in the buffer go to the guest.
    Data,
    Aborted,
}

/// Subcommands, in the features register.
mod code {
    pub(super) const READ_DATA: u8 = 0xd0;
    pub(super) const READ_THRESHOLDS: u8 = 0xd1;
    pub(super) const AUTOSAVE: u8 = 0xd2;
    pub(super) const EXECUTE_OFFLINE: u8 = 0xd4;
    pub(super) const READ_LOG: u8 = 0xd5;
    pub(super) const ENABLE: u8 = 0xd8;
    pub(super) const DISABLE: u8 = 0xd9;
    pub(super) const RETURN_STATUS: u8 = 0xda;
}

/// The key in the cylinder registers, low and high.
const KEY: (u8, u8) = (0x4f, 0xc2);

/// The attributes: number, flags, value, worst, raw value, threshold.
const ATTRIBUTES: [(u8, u8, u8, u8, [u8; 6], u8); 7] = [
    // Read errors, spin-up time, starts, reallocated sectors, hours, power cycles.
    (0x01, 0x03, 100, 100, [0; 6], 6),
    (0x03, 0x03, 100, 100, [16, 0, 0, 0, 0, 0], 0),
    (0x04, 0x02, 100, 100, [100, 0, 0, 0, 0, 0], 20),
    (0x05, 0x03, 100, 100, [0; 6], 36),
    (0x09, 0x03, 100, 100, [1, 0, 0, 0, 0, 0], 0),
    (0x0c, 0x03, 100, 100, [0; 6], 0),
    // Temperature.
    (0xbe, 0x03, 69, 69, [31, 0, 31, 31, 0, 0], 50),
];

/// The most self-tests in the log.
const MOST_TESTS: u8 = 21;

/// A drive's SMART state.
#[derive(Clone, Debug)]
pub(crate) struct Smart {
    pub(crate) enabled: bool,
    pub(crate) autosave: bool,
    /// Self-tests in the log, and the number of each.
    pub(crate) tests: u8,
    pub(crate) log: [u8; MOST_TESTS as usize],
    /// How many entries of the log were ever used.
    pub(crate) used: u8,
}

impl Default for Smart {
    fn default() -> Self {
        let log = [0; MOST_TESTS as usize];
        Self { enabled: true, autosave: true, tests: 0, log, used: 0 }
    }
}

/// Performs the subcommand in the registers.
pub(crate) fn perform(drive: &mut Drive) -> Outcome {
    let key = (drive.cylinder_low.current, drive.cylinder_high.current);
    let command = drive.feature.current;
    if key != KEY || !drive.is_present() || !drive.smart.enabled && command != code::ENABLE {
        return Outcome::Aborted;
    }
    let selector = drive.sector.current;
    let smart = &mut drive.smart;
    match (command, selector) {
        (code::ENABLE, _) => smart.enabled = true,
        (code::DISABLE, _) => smart.enabled = false,
        (code::AUTOSAVE, 0) => smart.autosave = false,
        (code::AUTOSAVE, 0xf1) => smart.autosave = true,
        // No threshold is exceeded: the key comes back.
        (code::RETURN_STATUS, _) => {}
        // The drive's own routine, short and extended self-test.
        (code::EXECUTE_OFFLINE, 0..=2) => {
            smart.tests = if smart.tests >= MOST_TESTS { 1 } else { smart.tests + 1 };
            smart.used = smart.used.max(smart.tests);
            smart.log[usize::from(smart.tests) - 1] = selector;
        }
        (code::READ_DATA, _) => return give(drive, data),
        (code::READ_THRESHOLDS, _) => return give(drive, |_, page| thresholds(page)),
        (code::READ_LOG, 1) => return give(drive, |_, _| {}),
        (code::READ_LOG, 6) => return give(drive, log),
        _ => return Outcome::Aborted,
    }
    Outcome::Done
}

/// Makes a page with its version and checksum.
fn give(drive: &mut Drive, fill: impl FnOnce(&Smart, &mut [u8])) -> Outcome {
    let page = &mut drive.transfer.buffer[..512];
    page.fill(0);
    page[0] = 1;
    fill(&drive.smart, page);
    let sum = page[..511].iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    page[511] = sum.wrapping_neg();
    Outcome::Data
}

fn data(smart: &Smart, page: &mut [u8]) {
    for (place, (number, flags, value, worst, raw, _)) in
        page[2..].chunks_exact_mut(12).zip(ATTRIBUTES)
    {
        place[..5].copy_from_slice(&[number, flags, 0, value, worst]);
        place[5..11].copy_from_slice(&raw);
    }
    page[362] = 0x02 | u8::from(smart.autosave) << 7;
    // Offline data collection: seconds, and what can be done.
    (page[364], page[365], page[367]) = (0x20, 0x01, 0x19);
    // Capabilities; an error log; minutes of the three self-tests.
    (page[368], page[370]) = (0x03, 0x01);
    (page[372], page[373], page[374]) = (0x02, 0x36, 0x01);
}

fn thresholds(page: &mut [u8]) {
    for (place, attribute) in page[2..].chunks_exact_mut(12).zip(ATTRIBUTES) {
        (place[0], place[1]) = (attribute.0, attribute.5);
    }
}

fn log(smart: &Smart, page: &mut [u8]) {
    if smart.tests == 0 {
        return;
    }
    let used = smart.log.iter().take(smart.used.into());
    for (place, number) in page[2..].chunks_exact_mut(24).zip(used) {
        // Passed, after 4660 hours.
        place[..4].copy_from_slice(&[*number, 0, 0x34, 0x12]);
    }
    page[508] = smart.tests;
}
