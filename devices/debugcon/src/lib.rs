//! A port whose bytes go to a character stream: QEMU's `isa-debugcon`, known
//! from Bochs as "port E9".
//!
//! Firmware writes its log there. A read returns a fixed value, by which a
//! program tells that the port is present. Only single bytes pass: the region
//! is one port long. The device has no state, and so no section in QEMU's
//! stream.

use southbridge_sdk::state::Sections;
use southbridge_sdk::wit::{Attachment, Description};
use southbridge_sdk::{Context, Device, Properties, describe};

const PORT: u32 = 0;
const DATA: u32 = 0;

/// The device.
pub struct Debugcon {
    readback: u8,
}

impl Device for Debugcon {
    fn describe() -> Description {
        let summary = "Debug console: a port whose bytes go to a stream (isa-debugcon)";
        let version = env!("CARGO_PKG_VERSION");
        let byte = describe::aligned(1, 1);
        Description {
            properties: vec![
                // QEMU's own default is 0xe9; SeaBIOS and OVMF log to 0x402.
                describe::number("iobase", 0x402, "The I/O port"),
                describe::number("readback", 0xe9, "What a read returns, 0 to 255"),
            ],
            regions: vec![describe::ports("port", 1, byte, byte)],
            streams: vec!["data".into()],
            ..describe::device("debugcon", version, summary, Attachment::System)
        }
    }

    fn configure(properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        let base: u16 = properties.number("iobase")?;
        let readback = properties.number("readback")?;
        cx.map(PORT, base.into(), 0);
        Ok(Self { readback })
    }

    fn reset(&mut self, _cx: &mut Context<'_>) {}

    fn io_read(&mut self, _cx: &mut Context<'_>, _region: u32, _offset: u64, _size: u8) -> u64 {
        self.readback.into()
    }

    fn io_write(
        &mut self,
        cx: &mut Context<'_>,
        _region: u32,
        _offset: u64,
        _size: u8,
        value: u64,
    ) {
        cx.put(DATA, value as u8);
    }

    fn state(&mut self, _sections: &mut Sections<'_>) {}

    fn loaded(&mut self, _cx: &mut Context<'_>) -> Result<(), String> {
        Ok(())
    }
}

southbridge_sdk::export!(Debugcon);

#[cfg(test)]
mod tests;
