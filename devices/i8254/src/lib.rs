//! Intel 8254: the interval timer of the PC, and system control port B, by which
//! its channel 2 makes the speaker sound. QEMU's `isa-pit` and `isa-pcspk`.
//!
//! Data sheet: Intel 8254 Programmable Interval Timer (order number 231164);
//! the port: Intel 82371SB (PIIX3), 3.1.5.2 "NMI status and control register".
//!
//! Modelled, as in QEMU: all modes, the latches, the read-back command, and the
//! gate of channel 2. Counts are binary: QEMU keeps the bit for BCD, and counts
//! no other way with it. Nothing sounds.
//!
//! Channel 0 interrupts. It is quiet while `disable` is high: while the HPET
//! interrupts in its place. As in QEMU a reset changes neither where it is in
//! reading and writing, nor the interrupt, which is as the output was before the
//! reset until the output changes next.

mod channel;
mod regs;
mod state;
#[cfg(test)]
mod tests;
mod waveform;

use southbridge_sdk::describe::{aligned, device, flag, input, output, ports};
use southbridge_sdk::state::Sections;
use southbridge_sdk::wit::{Attachment, Description};
use southbridge_sdk::{Context, Device, Properties};

use channel::Channel;
use regs::{Control, PortB, READ_BACK, ReadBack};

/// The regions, and the port of each.
const TIMER: u32 = 0;
const SPEAKER: u32 = 1;
const PORTS: [(u32, u64); 2] = [(TIMER, 0x40), (SPEAKER, 0x61)];
/// The control word's port among the timer's.
const CONTROL: u64 = 3;

/// The lines.
const IRQ0: u32 = 0;
const DISABLE: u32 = 1;

/// The timer of the interrupt.
const CHANGE: u32 = 0;

/// The channel of the speaker.
const TONE: usize = 2;

/// How late the interrupt may be, in nanoseconds, and still catch up with every
/// change that has passed.
const LATE: u64 = 1_000_000_000;

/// The timer and the port.
#[derive(Debug)]
pub struct I8254 {
    channels: [Channel; 3],
    disabled: bool,
    /// The level of the interrupt.
    irq: bool,
    speaker: bool,
    refresh: bool,
    one_shot_is_high: bool,
    saves_port: bool,
}

impl Device for I8254 {
    fn describe() -> Description {
        let summary = "Interval timer and the speaker's port";
        Description {
            properties: vec![
                flag("migrate-pcspk", true, "the speaker's port is in the saved state"),
                flag(
                    "one-shot-is-high",
                    false,
                    "in mode 1 the output is high while it counts, as in QEMU up to 7.2",
                ),
            ],
            regions: vec![
                ports("timer", 4, aligned(1, 4), aligned(1, 1)),
                ports("speaker", 1, aligned(1, 4), aligned(1, 1)),
            ],
            lines: vec![output("irq0"), input("disable")],
            timers: vec!["change".into()],
            ..device("i8254", env!("CARGO_PKG_VERSION"), summary, Attachment::System)
        }
    }

    fn configure(properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        for (region, port) in PORTS {
            cx.map(region, port, 0);
        }
        Ok(Self {
            channels: [Channel::default(); 3],
            disabled: false,
            irq: false,
            speaker: false,
            refresh: false,
            one_shot_is_high: properties.flag("one-shot-is-high")?,
            saves_port: properties.flag("migrate-pcspk")?,
        })
    }

    fn reset(&mut self, cx: &mut Context<'_>) {
        for (number, channel) in self.channels.iter_mut().enumerate() {
            channel.reset(cx.now, number != TONE);
        }
        self.disabled = false;
        self.schedule(cx, cx.now);
    }

    fn io_read(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, _size: u8) -> u64 {
        if region == SPEAKER {
            return self.read_port(cx.now).into_bits().into();
        }
        // The control word cannot be read.
        let channel = self.channels.get_mut((offset & 3) as usize);
        channel.map_or(0, |channel| channel.read(cx.now).into())
    }

    fn io_write(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, _size: u8, value: u64) {
        let value = value as u8;
        if region == SPEAKER {
            let written = PortB::from_bits(value);
            self.speaker = written.speaker();
            self.channels[TONE].set_gate(written.gate(), cx.now);
        } else if offset & 3 == CONTROL {
            self.control(cx.now, value);
        } else if self.channels[(offset & 3) as usize].write(value, cx.now) && offset & 3 == 0 {
            self.drive(cx, cx.now);
        }
    }

    fn line_changed(&mut self, cx: &mut Context<'_>, line: u32, level: bool) {
        if line == DISABLE {
            self.disabled = level;
            if level {
                cx.disarm(CHANGE);
            } else {
                self.drive(cx, cx.now);
            }
        }
    }

    /// A change counts from when it was due.
    fn timer_expired(&mut self, cx: &mut Context<'_>, _timer: u32) {
        let due = u64::try_from(self.channels[0].next_change).unwrap_or(cx.now).min(cx.now);
        self.drive(cx, if cx.now - due < LATE { due } else { cx.now });
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        state::declare(self, sections);
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        cx.set_line(IRQ0, self.irq);
        self.arm(cx);
        Ok(())
    }
}

impl I8254 {
    fn output(&self, channel: usize, now: u64) -> bool {
        self.channels[channel].waveform.output(now, self.one_shot_is_high)
    }

    fn control(&mut self, now: u64, value: u8) {
        let word = Control::from_bits(value);
        if word.channel() != READ_BACK {
            self.channels[usize::from(word.channel())].control(word, now);
            return;
        }
        let command = ReadBack::from_bits(value);
        for number in (0..self.channels.len()).filter(|n| command.channels() & 1 << n != 0) {
            let output = self.output(number, now);
            let channel = &mut self.channels[number];
            if !command.no_count() {
                channel.latch_count(now);
            }
            if !command.no_status() {
                channel.latch_status(output);
            }
        }
    }

    fn read_port(&mut self, now: u64) -> PortB {
        self.refresh = !self.refresh;
        PortB::new()
            .with_gate(self.channels[TONE].gate)
            .with_speaker(self.speaker)
            .with_refresh(self.refresh)
            .with_output(self.output(TONE, now))
    }

    /// Drives the interrupt as the output is at a time.
    fn drive(&mut self, cx: &mut Context<'_>, at: u64) {
        if !self.disabled {
            self.irq = self.output(0, at);
            cx.set_line(IRQ0, self.irq);
            self.schedule(cx, at);
        }
    }

    fn schedule(&mut self, cx: &mut Context<'_>, at: u64) {
        let change = self.channels[0].waveform.next_change(at);
        self.channels[0].next_change =
            change.and_then(|change| i64::try_from(change).ok()).unwrap_or(state::NEVER);
        self.arm(cx);
    }

    fn arm(&self, cx: &mut Context<'_>) {
        match u64::try_from(self.channels[0].next_change) {
            Ok(deadline) if !self.disabled => cx.arm(CHANGE, deadline),
            _ => cx.disarm(CHANGE),
        }
    }
}

southbridge_sdk::export!(I8254);
