//! The diagnostic build: a line in the log for every register write.

use southbridge_sdk::wit::Level;
use southbridge_sdk::{Context, Device};

use crate::Piix4Pm;

/// Logs a write before it takes effect.
pub(crate) fn write(cx: &mut Context<'_>, region: u32, offset: u64, size: u8, value: u64) {
    let regions = Piix4Pm::describe().regions;
    let name = regions.get(region as usize).map_or("?", |region| &region.name);
    // Two for each byte, and the prefix.
    let digits = 2 + 2 * usize::from(size);
    cx.log(Level::Trace, &format!("{name}+{offset:#x} <- {value:#0digits$x}"));
}
