//! High precision event timers: QEMU's `hpet`.
//!
//! Specification: Intel, "IA-PC HPET (High Precision Event Timers) Specification",
//! revision 1.0a.
//!
//! Modelled, as in QEMU 7.2: a counter of 100 MHz, 3 to 32 timers of 64 bits, all
//! periodic, level or edge interrupts to the inputs of the I/O APIC, interrupts as
//! messages, and the legacy replacement. QEMU 7.2 has registers of one timer more
//! than it says it has, which it does not save; this has not.
//!
//! In legacy replacement mode timers 0 and 1 take the places of the interval timer
//! and of the real-time clock. As in QEMU the interrupts of those two may go through
//! this device, which holds them back then: inputs `pit` and `rtc`. The output
//! `legacy` says so too, for an interval timer that goes to its interrupt itself.

mod access;
mod interrupt;
mod regs;
mod state;
#[cfg(test)]
mod tests;
mod timer;

use southbridge_sdk::describe::{aligned, device, flag, input, memory, number, output};
use southbridge_sdk::state::Sections;
use southbridge_sdk::wit::{Attachment, Description};
use southbridge_sdk::{Context, Device, Properties};

use interrupt::{Interrupts, LEGACY, OUTPUTS};
use regs::{Configuration, TimerConfiguration};
use timer::Timer;

/// The region, and where it is.
const REGISTERS: u32 = 0;
const BASE: u64 = 0xfed0_0000;

/// The lines behind the outputs to the I/O APIC and `legacy`.
const PIT: u32 = LEGACY + 1;
const RTC: u32 = LEGACY + 2;

/// What the specification allows.
const MOST_TIMERS: usize = 32;
/// QEMU's fewest.
const FEWEST_TIMERS: usize = 3;

/// The device.
#[derive(Debug)]
pub struct Hpet {
    timers: Vec<Timer>,
    configuration: Configuration,
    /// The timers whose level interrupt is high.
    status: u64,
    /// The main counter while it stands still.
    counter: u64,
    /// What the counter is ahead of the machine's time, in nanoseconds, while it
    /// runs.
    offset: u64,
    interrupts: Interrupts,
    /// Whether timers can send messages.
    messages: bool,
    /// The inputs of the I/O APIC that timers can be routed to, a bit for each.
    routes: u32,
    /// Whether the stream holds the offset, so that loading does not take time off
    /// the counter.
    saves_offset: bool,
    /// Whether a timer that is stopped lowers its interrupt also where it has not raised
    /// it: others may have.
    stop_lowers: bool,
}

impl Device for Hpet {
    fn describe() -> Description {
        let summary = "High precision event timers";
        let irqs = (0..OUTPUTS).map(|pin| output(format!("irq{pin}")));
        Description {
            properties: vec![
                number("timers", 3, "timers, 3 to 32"),
                flag("msi", false, "timers can send messages"),
                number("hpet-intcap", 4, "the interrupts timers can be routed to, a bit for each"),
                flag("hpet-offset-saved", true, "the stream says how far the counter is ahead"),
                flag(
                    "stop-lowers",
                    false,
                    "a timer that is stopped lowers its interrupt also where it has not raised it, \
                     as in QEMU up to 7.2",
                ),
            ],
            // A wider access is two of 32 bits, a narrower one none.
            regions: vec![memory("hpet", 0x400, aligned(4, 4), aligned(4, 4))],
            lines: irqs.chain([output("legacy"), input("pit"), input("rtc")]).collect(),
            timers: (0..MOST_TIMERS).map(|number| format!("timer{number}")).collect(),
            ..device("hpet", env!("CARGO_PKG_VERSION"), summary, Attachment::System)
        }
    }

    fn configure(properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        let count: usize = properties.number("timers")?;
        cx.map(REGISTERS, BASE, 0);
        Ok(Self {
            timers: vec![Timer::default(); count.clamp(FEWEST_TIMERS, MOST_TIMERS)],
            configuration: Configuration::new(),
            status: 0,
            counter: 0,
            offset: 0,
            interrupts: Interrupts::default(),
            messages: properties.flag("msi")?,
            routes: properties.number("hpet-intcap")?,
            saves_offset: properties.flag("hpet-offset-saved")?,
            stop_lowers: properties.flag("stop-lowers")?,
        })
    }

    fn reset(&mut self, cx: &mut Context<'_>) {
        for number in 0..self.timers.len() {
            self.stop(cx, number);
            let configuration = TimerConfiguration::new()
                .with_periodic_capable(true)
                .with_size_capable(true)
                .with_message_capable(self.messages)
                .with_routes(self.routes);
            let timer = &mut self.timers[number];
            *timer = Timer { configuration, message: timer.message, ..Timer::default() };
        }
        // In QEMU what the interval timer drives then goes through here, and no further if
        // it was held back. Here the timer, which is reset later, is not told in that case.
        if !self.configuration.legacy() {
            self.interrupts.say_legacy(cx, false);
        }
        (self.configuration, self.counter, self.offset) = (Configuration::new(), 0, 0);
        self.interrupts.rtc = false;
    }

    fn io_read(&mut self, cx: &mut Context<'_>, _region: u32, offset: u64, _size: u8) -> u64 {
        self.read(cx.now, offset).into()
    }

    fn io_write(&mut self, cx: &mut Context<'_>, _region: u32, offset: u64, _size: u8, value: u64) {
        self.write(cx, offset, value as u32);
    }

    fn line_changed(&mut self, cx: &mut Context<'_>, line: u32, level: bool) {
        let is_legacy = self.configuration.legacy();
        match line {
            PIT if !is_legacy => self.interrupts.set(cx, interrupt::PIT, level),
            RTC => {
                self.interrupts.rtc = level;
                if !is_legacy {
                    self.interrupts.set(cx, interrupt::RTC, level);
                }
            }
            _ => {}
        }
    }

    fn timer_expired(&mut self, cx: &mut Context<'_>, timer: u32) {
        if (timer as usize) < self.timers.len() {
            self.expired(cx, timer as usize);
        }
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        state::declare(self, sections);
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        for (number, timer) in (0..).zip(&self.timers) {
            match timer.deadline {
                Some(deadline) => cx.arm(number, deadline),
                None => cx.disarm(number),
            }
        }
        self.interrupts.drive(cx);
        cx.set_line(LEGACY, self.interrupts.legacy);
        Ok(())
    }
}

southbridge_sdk::export!(Hpet);
