//! Intel 82093AA: the I/O interrupt controller of the PC. QEMU's `ioapic`.
//!
//! Data sheet: Intel 82093AA I/O Advanced Programmable Interrupt Controller
//! (order number 290566).
//!
//! Modelled, as in QEMU: the redirection table, edge- and level-triggered
//! interrupts, remote IRR, and with version 0x20 the EOI register. Interrupts
//! become messages to the local APICs' addresses. Not modelled: the APIC bus and
//! its arbitration, and the polarity of inputs, which are high when active. The
//! vector of an ExtINT message is the entry's: whoever gets the message asks the
//! 8259A.
//!
//! QEMU takes input 0 for 2, as the PC's timer is wired. Here that is a matter
//! of the wires.

mod pins;
mod regs;
mod state;
#[cfg(test)]
mod tests;

use southbridge_sdk::describe::{aligned, device, input, memory, number};
use southbridge_sdk::state::Sections;
use southbridge_sdk::wit::{Attachment, Description};
use southbridge_sdk::{Context, Device, EndOfInterrupt, Properties};

use pins::{PINS, Pins};
use regs::{EOIR, ID_BITS, IOAPICARB, IOAPICID, IOAPICVER, IOREDTBL, IOREGSEL, IOWIN};

/// The region, and where it is.
const REGISTERS: u32 = 0;
const BASE: u64 = 0xfec0_0000;
const SIZE: u64 = 0x1000;

/// The timer.
const WAKE: u32 = 0;

/// The versions: the 82093AA, and the one with an EOI register.
const PLAIN: u8 = 0x11;
const WITH_EOI: u8 = 0x20;

/// The controller.
#[derive(Debug)]
pub struct IoApic {
    version: u8,
    id: u8,
    select: u8,
    pins: Pins,
}

impl Device for IoApic {
    fn describe() -> Description {
        let summary = "I/O interrupt controller with 24 inputs";
        Description {
            properties: vec![number(
                "version",
                WITH_EOI.into(),
                "0x11, or 0x20 with an EOI register",
            )],
            regions: vec![memory("registers", SIZE, aligned(1, 4), aligned(1, 4))],
            lines: (0..PINS).map(|pin| input(format!("irq{pin}"))).collect(),
            timers: vec!["wake".into()],
            ..device("ioapic", env!("CARGO_PKG_VERSION"), summary, Attachment::System)
        }
    }

    fn configure(properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        let version = properties.number("version")?;
        if version != PLAIN && version != WITH_EOI {
            return Err(format!("property version: {version:#x}, 0x11 or 0x20 expected"));
        }
        cx.map(REGISTERS, BASE, 0);
        Ok(Self { version, id: 0, select: 0, pins: Pins::default() })
    }

    fn reset(&mut self, cx: &mut Context<'_>) {
        (self.id, self.select) = (0, 0);
        self.pins = Pins::default();
        cx.disarm(WAKE);
    }

    fn io_read(&mut self, _cx: &mut Context<'_>, _region: u32, offset: u64, size: u8) -> u64 {
        match (offset & 0xff, size) {
            (IOREGSEL, _) => self.select.into(),
            (IOWIN, 4) => self.read().into(),
            _ => 0,
        }
    }

    fn io_write(&mut self, cx: &mut Context<'_>, _region: u32, offset: u64, size: u8, value: u64) {
        let value = value as u32;
        match (offset & 0xff, size) {
            (IOREGSEL, _) => self.select = value as u8,
            (IOWIN, 4) => self.write(cx, value),
            (EOIR, 4) if self.version == WITH_EOI => {
                // More than a byte is no interrupt's vector.
                if let Ok(vector) = u8::try_from(value) {
                    self.ended(cx, vector);
                }
            }
            _ => {}
        }
    }

    fn line_changed(&mut self, cx: &mut Context<'_>, line: u32, level: bool) {
        self.pins.set(cx, line as usize, level);
    }

    fn timer_expired(&mut self, cx: &mut Context<'_>, _timer: u32) {
        self.pins.wakes = None;
        self.pins.deliver(cx);
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        state::declare(self, sections);
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        self.arm(cx);
        Ok(())
    }
}

impl EndOfInterrupt for IoApic {
    fn ended(&mut self, cx: &mut Context<'_>, vector: u8) {
        if self.pins.end(cx, vector) {
            self.arm(cx);
        }
    }
}

impl IoApic {
    /// Reads the register that is selected.
    fn read(&self) -> u32 {
        match self.select {
            IOAPICID | IOAPICARB => u32::from(self.id) << 24,
            IOAPICVER => u32::from(self.version) | (PINS as u32 - 1) << 16,
            _ => {
                let entry = self.entry().and_then(|pin| self.pins.entries.get(pin));
                let bits = entry.map_or(0, |entry| entry.into_bits());
                (if self.selects_upper() { bits >> 32 } else { bits }) as u32
            }
        }
    }

    /// Writes the register that is selected.
    fn write(&mut self, cx: &mut Context<'_>, value: u32) {
        match self.select {
            IOAPICID => self.id = (value >> 24) as u8 & ID_BITS,
            IOAPICVER | IOAPICARB => {}
            _ => {
                if let Some(pin) = self.entry() {
                    self.pins.write(cx, pin, self.selects_upper(), value);
                }
            }
        }
    }

    /// The entry of the table that is selected; there may be none of this number.
    fn entry(&self) -> Option<usize> {
        self.select.checked_sub(IOREDTBL).map(|register| usize::from(register / 2))
    }

    fn selects_upper(&self) -> bool {
        self.select & 1 != 0
    }

    fn arm(&self, cx: &mut Context<'_>) {
        match self.pins.wakes {
            Some(deadline) => cx.arm(WAKE, deadline),
            None => cx.disarm(WAKE),
        }
    }
}

southbridge_sdk::export!(IoApic, end_of_interrupt);
