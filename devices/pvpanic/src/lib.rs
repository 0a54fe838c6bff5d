//! A port by which a guest says that it has crashed: QEMU's `pvpanic`.
//!
//! Specification: QEMU, "PVPANIC device".
//!
//! A read says which events the device knows, a bit for each; a write is an event.
//! Of several in one write the first counts, in the order of the bits. A crash after
//! which the guest loads another kernel to save its memory is told the operator and
//! changes nothing. The device has no state, and so no section in QEMU's stream.

use southbridge_sdk::state::Sections;
use southbridge_sdk::wit::{Attachment, Description, Level, Request};
use southbridge_sdk::{Context, Device, Properties, describe};

const PORT: u32 = 0;

/// The events.
const PANICKED: u8 = 0x01;
const CRASH_LOADED: u8 = 0x02;
const SHUTDOWN: u8 = 0x04;

/// The device.
#[derive(Debug)]
pub struct Pvpanic {
    events: u8,
}

impl Device for Pvpanic {
    fn describe() -> Description {
        let summary = "A port by which a guest says that it has crashed";
        let version = env!("CARGO_PKG_VERSION");
        let (valid, implemented) = (describe::aligned(1, 4), describe::aligned(1, 1));
        Description {
            properties: vec![
                describe::number("ioport", 0x505, "the I/O port"),
                // QEMU's 4, to shut down, is newer than version 7.2.
                describe::number(
                    "events",
                    3,
                    "the events it knows: 1 crash, 2 crash kernel, 4 end",
                ),
            ],
            regions: vec![describe::ports("pvpanic", 1, valid, implemented)],
            ..describe::device("pvpanic", version, summary, Attachment::System)
        }
    }

    fn configure(properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        let port: u16 = properties.number("ioport")?;
        let events = properties.number("events")?;
        cx.map(PORT, port.into(), 0);
        Ok(Self { events })
    }

    fn reset(&mut self, _cx: &mut Context<'_>) {}

    fn io_read(&mut self, _cx: &mut Context<'_>, _region: u32, _offset: u64, _size: u8) -> u64 {
        self.events.into()
    }

    fn io_write(
        &mut self,
        cx: &mut Context<'_>,
        _region: u32,
        _offset: u64,
        _size: u8,
        value: u64,
    ) {
        let event = value as u8 & self.events;
        if event & PANICKED != 0 {
            cx.log(Level::Error, "the guest has panicked");
            cx.ask_power(Request::Panicked);
        } else if event & CRASH_LOADED != 0 {
            cx.log(Level::Error, "the guest has panicked and goes on with its crash kernel");
        } else if event & SHUTDOWN != 0 {
            cx.ask_power(Request::Shutdown);
        } else {
            cx.log(Level::Warn, &format!("unknown event {value:#x}"));
        }
    }

    fn state(&mut self, _sections: &mut Sections<'_>) {}

    fn loaded(&mut self, _cx: &mut Context<'_>) -> Result<(), String> {
        Ok(())
    }
}

southbridge_sdk::export!(Pvpanic);

#[cfg(test)]
mod tests;
