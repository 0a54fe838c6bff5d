//! The Windows emulated devices table (Microsoft, "Windows ACPI Emulated Devices
//! Table", 1.0).

use crate::header;

/// One read of the power management timer is enough.
const PM_TIMER_GOOD: u32 = 1 << 1;

/// The table.
pub(crate) fn table() -> Vec<u8> {
    header::table(*b"WAET", &PM_TIMER_GOOD.to_le_bytes())
}
