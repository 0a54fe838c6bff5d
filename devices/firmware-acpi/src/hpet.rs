//! The description table of the high precision event timer (IA-PC HPET
//! Specification 1.0a, 3.2.4).

use crate::header;

/// Where the timer's registers are.
pub(crate) const ADDRESS: u32 = 0xfed0_0000;
/// How many bytes they take.
pub(crate) const LENGTH: u32 = 0x400;

/// Intel's, with a legacy replacement route, a 64-bit counter and three timers.
const BLOCK_ID: u32 = 0x8086_a201;

/// The table: its address is in memory, and it is the first of its kind.
pub(crate) fn table() -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(BLOCK_ID.to_le_bytes());
    // The generic address structure (5.2.3.2): memory, no width given.
    body.extend([0; 4]);
    body.extend(u64::from(ADDRESS).to_le_bytes());
    // Number, least ticks and page protection.
    body.extend([0; 4]);
    header::table(*b"HPET", &body)
}
