//! Motorola MC146818: the real-time clock of the PC and its memory, which holds
//! the board's settings ("CMOS"). QEMU's `mc146818rtc`.
//!
//! Data sheet: Motorola MC146818A, "Real-Time Clock plus RAM"; the layout of the
//! memory: IBM Personal Computer AT Technical Reference.
//!
//! Modelled: time and calendar in all formats, the alarm, the update and the
//! periodic interrupt, the divider, and the settings that firmware reads: sizes
//! of memory, equipment, drives and their geometry, boot order, number of processors. The alarm wakes the
//! machine from S3. Not modelled, as in QEMU: the square wave and daylight
//! saving; nor QEMU's policy `slew` for lost ticks.
//!
//! The clock runs on the machine's virtual time, and is as late as the machine
//! was paused. The saved state counts by a clock that begins at `clock-base`: 0
//! for that of QEMU's `-rtc clock=vm`, the time at power-on for that of the
//! default, `clock=host`.

mod alarm;
mod calendar;
mod drives;
mod periodic;
mod ports;
mod regs;
mod setup;
mod state;
#[cfg(test)]
mod tests;
mod time;

use southbridge_sdk::describe::{
    aligned, device, flag, number, output, ports as port_region, text,
};
use southbridge_sdk::state::Sections;
use southbridge_sdk::wit::{Attachment, Description, WakeupReason};
use southbridge_sdk::{Context, Device, PowerEvents, Properties};

use periodic::Periodic;
use regs::{POWER_ON, REGISTER_B, RESUME, RegisterC, SHUTDOWN_STATUS};
use time::TimeBase;

/// The region, where it is, and its two ports.
const PORTS: u32 = 0;
const BASE: u64 = 0x70;
const INDEX: u64 = 0;

/// The output line.
const IRQ: u32 = 0;

/// The timers.
const PERIODIC: u32 = 0;
const UPDATE: u32 = 1;

/// The clock.
#[derive(Debug)]
pub struct Mc146818 {
    memory: [u8; 128],
    index: u8,
    time: TimeBase,
    /// When the next update has to be told.
    update: Option<u64>,
    next_alarm: u64,
    periodic: Periodic,
}

/// The latest `clock-base`: the year 2155, so that nanoseconds of a long run after it fit
/// QEMU's signed clock.
const LATEST_BASE: u64 = 5_860_000_000;

impl Device for Mc146818 {
    fn describe() -> Description {
        let summary = "Real-time clock and CMOS memory";
        let floppy = |name| text(name, "none", "a floppy drive: none, 120, 144 or 288");
        let disk = |name| text(name, "", "a disk: bytes, or cylinders,heads,sectors[,translation]");
        let drives = drives::FLOPPIES.map(floppy).into_iter().chain(drives::DISKS.map(disk));
        Description {
            properties: [
                flag("fd-bootchk", true, "a floppy that is booted from has to have a signature"),
                number("base-time", 0, "time at power-on, in seconds since 1970"),
                number("clock-base", 0, "what the saved state counts from, in seconds since 1970"),
                number("ram-below-4g", 0, "bytes of RAM below 4 GiB"),
                number("ram-above-4g", 0, "bytes of RAM from 4 GiB on"),
                number("cpus", 1, "processors"),
                flag("time-wraps", false, "years before 1678 and after 2262 read as others"),
                text("boot-order", "cad", "boot devices, as -boot order"),
            ]
            .into_iter()
            .chain(drives)
            .collect(),
            regions: vec![port_region("rtc", 2, aligned(1, 4), aligned(1, 1))],
            lines: vec![output("irq")],
            timers: vec!["periodic".into(), "update".into()],
            ..device("mc146818rtc", env!("CARGO_PKG_VERSION"), summary, Attachment::System)
        }
    }

    fn configure(properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        let mut memory = [0; 128];
        POWER_ON.into_iter().for_each(|(register, value)| memory[register] = value);
        setup::write(&mut memory, properties)?;
        let ahead = match properties.number::<u64>("clock-base")? {
            seconds @ 0..=LATEST_BASE => seconds * time::SECOND,
            seconds => {
                return Err(format!(
                    "property clock-base: {seconds}, at most {LATEST_BASE} expected"
                ));
            }
        };
        let time = TimeBase {
            base: properties.number("base-time")?,
            since: ahead,
            ahead,
            wraps: properties.flag("time-wraps")?,
            ..TimeBase::default()
        };
        let periodic = Periodic::default();
        let mut clock = Self { memory, index: 0, time, update: None, next_alarm: 0, periodic };
        clock.update_time(ahead);
        cx.map(PORTS, BASE, 0);
        Ok(clock)
    }

    /// As in QEMU the periodic timer runs out by itself.
    fn reset(&mut self, cx: &mut Context<'_>) {
        let b = self.b().with_periodic_enabled(false).with_alarm_enabled(false);
        self.memory[REGISTER_B] = b.with_square_wave(false).into();
        self.memory[regs::REGISTER_C] &=
            !(regs::FLAGS | RegisterC::new().with_interrupt(true).into_bits());
        if self.memory[SHUTDOWN_STATUS] != RESUME {
            self.memory[SHUTDOWN_STATUS] = 0;
        }
        self.schedule_update(cx);
        self.drive(cx);
    }

    fn io_read(&mut self, cx: &mut Context<'_>, _region: u32, offset: u64, _size: u8) -> u64 {
        // The index can be written only. Ports repeat: a wide access goes on.
        if offset & 1 == INDEX { 0xff } else { self.read(cx).into() }
    }

    fn io_write(&mut self, cx: &mut Context<'_>, _region: u32, offset: u64, _size: u8, value: u64) {
        if offset & 1 == INDEX {
            self.index = value as u8 & 0x7f;
        } else {
            self.write(cx, value as u8);
        }
    }

    fn timer_expired(&mut self, cx: &mut Context<'_>, timer: u32) {
        match timer {
            PERIODIC => self.period_passed(cx),
            _ => self.updated(cx),
        }
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        state::declare(self, sections);
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        self.arm(cx, PERIODIC, self.periodic.deadline);
        self.arm(cx, UPDATE, self.update);
        self.drive(cx);
        Ok(())
    }
}

impl PowerEvents for Mc146818 {
    fn button_pressed(&mut self, _cx: &mut Context<'_>) {}

    /// Tells the firmware to resume. QEMU does so when the machine is suspended,
    /// which nobody can see before it is woken.
    fn woken(&mut self, _cx: &mut Context<'_>, _reason: WakeupReason) {
        self.memory[SHUTDOWN_STATUS] = RESUME;
    }
}

impl Mc146818 {
    fn arm(&self, cx: &mut Context<'_>, timer: u32, deadline: Option<u64>) {
        match deadline {
            Some(deadline) => cx.arm(timer, deadline.wrapping_sub(self.time.ahead)),
            None => cx.disarm(timer),
        }
    }

    /// Drives the interrupt: register C says whether it is high.
    fn drive(&self, cx: &mut Context<'_>) {
        cx.set_line(IRQ, self.c().interrupt());
    }
}

southbridge_sdk::export!(Mc146818, power_events);
