//! iBASE 700: a watchdog on the ISA bus, QEMU's `ib700`.
//!
//! Data sheet: iBASE IB700 user's manual, "Watchdog Timer Configuration".
//!
//! A write to port 0x443 or 0x444 starts the watchdog, which expires 2 seconds later
//! for each that the low four bits are below 15; one to 0x441 or 0x442 stops it. What
//! happens when it expires is a property, QEMU's `-watchdog-action`. The contract has
//! no way to press the power button nor to pause the machine: `shutdown` powers the
//! machine off, and `pause`, as `debug` and `none`, is only logged.

use southbridge_sdk::state::{Condition, Sections, Shape};
use southbridge_sdk::wit::{AccessSizes, Attachment, Description, Level, Request};
use southbridge_sdk::{Context, Device, Properties, describe};

const PORTS: u32 = 0;
const BASE: u64 = 0x441;
const SIZE: u64 = 4;
/// From this one on a write starts the watchdog.
const START: u64 = 2;

const NMI: u32 = 0;
const TIMER: u32 = 0;

const STEP: u64 = 2_000_000_000;

const SECTION: Shape = Shape::new("ib700_wdt", 0, 0);

/// What happens when the watchdog expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Power(Request),
    Nmi,
    Nothing,
}

/// The device.
#[derive(Debug)]
pub struct Ib700 {
    action: Action,
    deadline: Option<u64>,
}

impl Device for Ib700 {
    fn describe() -> Description {
        let summary = "A watchdog (iBASE 700)";
        let version = env!("CARGO_PKG_VERSION");
        let sizes = AccessSizes { unaligned: true, ..describe::aligned(1, 4) };
        Description {
            properties: vec![describe::text(
                "action",
                "reset",
                "what happens then: reset, shutdown, poweroff, pause, debug, none, inject-nmi",
            )],
            regions: vec![describe::ports("ib700", SIZE, sizes, sizes)],
            lines: vec![describe::output("nmi")],
            timers: vec!["watchdog".into()],
            ..describe::device("ib700", version, summary, Attachment::System)
        }
    }

    fn configure(properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        let action = match properties.text("action")? {
            "reset" => Action::Power(Request::Reset),
            "shutdown" | "poweroff" => Action::Power(Request::Shutdown),
            "inject-nmi" => Action::Nmi,
            "pause" | "debug" | "none" => Action::Nothing,
            other => {
                return Err(format!(
                    "property action: {other:?}, one of reset, shutdown, poweroff, pause, \
                     debug, none, inject-nmi expected"
                ));
            }
        };
        cx.map(PORTS, BASE, 0);
        Ok(Self { action, deadline: None })
    }

    fn reset(&mut self, cx: &mut Context<'_>) {
        self.set(cx, None);
    }

    /// The ports can be written only.
    fn io_read(&mut self, _cx: &mut Context<'_>, _region: u32, _offset: u64, _size: u8) -> u64 {
        u64::MAX
    }

    /// As in QEMU a word is two bytes, and nothing wider is taken.
    fn io_write(&mut self, cx: &mut Context<'_>, _region: u32, offset: u64, size: u8, value: u64) {
        if size > 2 {
            return;
        }
        let bytes = value.to_le_bytes().into_iter().take(size.into());
        for (port, byte) in (offset..SIZE).zip(bytes) {
            let steps = u64::from(0x0f - (byte & 0x0f));
            let deadline = cx.now.saturating_add(steps * STEP).min(i64::MAX as u64);
            self.set(cx, (port >= START).then_some(deadline));
        }
    }

    fn timer_expired(&mut self, cx: &mut Context<'_>, _timer: u32) {
        self.deadline = None;
        cx.log(Level::Error, "the watchdog has expired");
        match self.action {
            Action::Power(request) => cx.ask_power(request),
            Action::Nmi => {
                cx.set_line(NMI, true);
                cx.set_line(NMI, false);
            }
            Action::Nothing => {}
        }
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        let Self { action: _, deadline } = self;
        sections.section(SECTION, Condition::ALWAYS, |f| f.timer("timer", deadline));
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        self.set(cx, self.deadline);
        Ok(())
    }
}

impl Ib700 {
    fn set(&mut self, cx: &mut Context<'_>, deadline: Option<u64>) {
        self.deadline = deadline;
        match deadline {
            Some(deadline) => cx.arm(TIMER, deadline),
            None => cx.disarm(TIMER),
        }
    }
}

southbridge_sdk::export!(Ib700);

#[cfg(test)]
mod tests;
