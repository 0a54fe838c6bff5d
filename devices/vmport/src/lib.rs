//! VMware's port and the mouse behind it: QEMU's `vmport` and `vmmouse`.
//!
//! A guest passes commands to the port in its processor's registers, of which a
//! device sees nothing. So the port answers as QEMU's does to what is no command: all
//! ones, by which a guest knows that nobody is there. Nothing can switch the mouse on.
//! Its state is what QEMU's stream has, and stays as it was loaded.

use southbridge_sdk::describe::{aligned, device, ports};
use southbridge_sdk::state::{Condition, Sections, Shape};
use southbridge_sdk::wit::{Attachment, Description};
use southbridge_sdk::{Context, Device, Properties};

const PORT: u32 = 0;
const BASE: u64 = 0x5658;

/// Words the mouse has for the guest.
const QUEUE: usize = 1024;
/// The status of a mouse that is off.
const DISABLED: u16 = 0xffff;

const SECTION: Shape = Shape::new("vmmouse", 0, 0);

/// The device.
#[derive(Debug)]
pub struct Vmport {
    queue: Vec<u32>,
    count: u16,
    status: u16,
    absolute: u8,
}

impl Device for Vmport {
    fn describe() -> Description {
        let summary = "VMware's port, with the state of its mouse";
        Description {
            regions: vec![ports("vmport", 1, aligned(1, 4), aligned(1, 1))],
            ..device("vmport", env!("CARGO_PKG_VERSION"), summary, Attachment::System)
        }
    }

    fn configure(_properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        cx.map(PORT, BASE, 0);
        Ok(Self { queue: vec![0; QUEUE], count: 0, status: DISABLED, absolute: 0 })
    }

    fn reset(&mut self, _cx: &mut Context<'_>) {
        (self.count, self.status) = (0, DISABLED);
    }

    fn io_read(&mut self, _cx: &mut Context<'_>, _region: u32, _offset: u64, _size: u8) -> u64 {
        u64::MAX
    }

    fn io_write(
        &mut self,
        _cx: &mut Context<'_>,
        _region: u32,
        _offset: u64,
        _size: u8,
        _value: u64,
    ) {
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        let Self { queue, count, status, absolute } = self;
        sections.section(SECTION, Condition::ALWAYS, |f| {
            f.i32_equal("queue_size", QUEUE as i32);
            f.u32s("queue", queue);
            f.u16("nb_queue", count);
            let found = *count;
            f.check(usize::from(found) <= QUEUE, || {
                format!("{found} found, at most {QUEUE} expected")
            });
            f.u16("status", status);
            f.u8("absolute", absolute);
        });
    }

    fn loaded(&mut self, _cx: &mut Context<'_>) -> Result<(), String> {
        Ok(())
    }
}

southbridge_sdk::export!(Vmport);

#[cfg(test)]
mod tests;
