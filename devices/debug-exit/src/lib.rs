//! A port that ends the machine with an exit status: QEMU's `isa-debug-exit`.
//!
//! Test kernels use it to report success or failure. A write of `v` in any
//! width ends the host's process with status `(v << 1) | 1`, of which the
//! operating system keeps the low 8 bits; the status is never 0. Reads return
//! 0. The device has no state, and so no section in QEMU's stream.

use southbridge_sdk::state::Sections;
use southbridge_sdk::wit::{Attachment, Description};
use southbridge_sdk::{Context, Device, Properties, describe};

/// The sizes `iosize` can have. A region's size is fixed when it is declared,
/// so there is one region for each and the property chooses.
const SIZES: [u64; 4] = [1, 2, 4, 8];

/// The device.
pub struct DebugExit;

impl Device for DebugExit {
    fn describe() -> Description {
        let summary = "Ends the machine with an exit status (isa-debug-exit)";
        let version = env!("CARGO_PKG_VERSION");
        let sizes = describe::aligned(1, 4);
        let region = |&size: &u64| describe::ports(&format!("exit-{size}"), size, sizes, sizes);
        Description {
            // QEMU's own defaults are 0x501 and 2; 0xf4 and 4 are what everybody sets.
            properties: vec![
                describe::number("iobase", 0xf4, "First I/O port"),
                describe::number("iosize", 4, "Number of I/O ports: 1, 2, 4 or 8"),
            ],
            regions: SIZES.iter().map(region).collect(),
            ..describe::device("debug-exit", version, summary, Attachment::System)
        }
    }

    fn configure(properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        let base: u16 = properties.number("iobase")?;
        let size: u64 = properties.number("iosize")?;
        let region = SIZES.iter().position(|&known| known == size);
        let region =
            region.ok_or_else(|| format!("property iosize: {size}, expected 1, 2, 4 or 8"))?;
        if u64::from(base) + size > 0x1_0000 {
            return Err(format!(
                "property iobase: {base:#x}, expected at most {:#x} for {size} ports",
                0x1_0000 - size
            ));
        }
        cx.map(region as u32, base.into(), 0);
        Ok(Self)
    }

    fn reset(&mut self, _cx: &mut Context<'_>) {}

    fn io_read(&mut self, _cx: &mut Context<'_>, _region: u32, _offset: u64, _size: u8) -> u64 {
        0
    }

    fn io_write(
        &mut self,
        cx: &mut Context<'_>,
        _region: u32,
        _offset: u64,
        _size: u8,
        value: u64,
    ) {
        cx.exit((value << 1) as u8 | 1);
    }

    fn state(&mut self, _sections: &mut Sections<'_>) {}

    fn loaded(&mut self, _cx: &mut Context<'_>) -> Result<(), String> {
        Ok(())
    }
}

southbridge_sdk::export!(DebugExit);

#[cfg(test)]
mod tests;
