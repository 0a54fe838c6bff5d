//! The keyboard controller of the PC, an Intel 8042, with a PS/2 keyboard and a
//! PS/2 mouse behind it: QEMU's `i8042`, `ps2-kbd` and `ps2-mouse`.
//!
//! Specification: IBM Personal System/2 Hardware Interface Technical Reference,
//! "Keyboard and Auxiliary Device Controller"; for the two devices "101- and
//! 102-Key Keyboard" and "Mouse" there.
//!
//! Modelled, as in QEMU: the controller's commands, its output port with the
//! A20 gate and the reset line, the interrupts of both devices, and every
//! command of keyboard and mouse; keys in all three sets of scan codes, and the
//! mouse's movement, wheel and first three buttons. A key, or a button that is held,
//! wakes the machine. Not modelled: the time a byte takes on the wire, the keyboard
//! lock, parity and time-out errors, and QEMU's property `kbd-throttle`, which is off
//! unless a user sets it.
//!
//! A reset by the controller is the machine's, as in QEMU, where the PC resets
//! the processor alone.

mod controller;
mod keyboard;
mod keys;
mod mouse;
mod output;
mod queue;
mod regs;
mod state;
#[cfg(test)]
mod tests;
mod typing;

use southbridge_sdk::describe::{aligned, device, flag, output, ports};
use southbridge_sdk::state::Sections;
use southbridge_sdk::wit::{Attachment, Description};
use southbridge_sdk::{Context, Device, Properties};

use keyboard::Keyboard;
use mouse::Mouse;
use output::Output;

/// The regions, and the port of each.
const DATA: u32 = 0;
const COMMAND: u32 = 1;
const PORTS: [(u32, u64); 2] = [(DATA, 0x60), (COMMAND, 0x64)];

/// The output lines: the interrupts of keyboard and mouse, the A20 gate.
const KEYBOARD_IRQ: u32 = 0;
const MOUSE_IRQ: u32 = 1;
const A20: u32 = 2;

/// The controller and what is plugged into it.
#[derive(Debug)]
pub struct I8042 {
    keyboard: Keyboard,
    mouse: Mouse,
    output: Output,
    /// The controller command that waits for its data byte; 0 if none does.
    write_cmd: u8,
    /// What the data port returned last.
    last: u8,
    /// The controller's own byte that waits to be read.
    reply: u8,
}

impl Device for I8042 {
    fn describe() -> Description {
        let summary = "Keyboard controller with PS/2 keyboard and mouse";
        let register = |name| ports(name, 1, aligned(1, 4), aligned(1, 1));
        Description {
            properties: vec![flag(
                "extended-state",
                true,
                "the controller's own bytes do not queue up with a device's, and are migrated",
            )],
            regions: vec![register("i8042-data"), register("i8042-cmd")],
            lines: vec![output("keyboard"), output("mouse"), output("a20")],
            ..device("i8042", env!("CARGO_PKG_VERSION"), summary, Attachment::System)
        }
    }

    fn configure(properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        let output = Output::new(properties.flag("extended-state")?);
        for (region, port) in PORTS {
            cx.map(region, port, 0);
        }
        let (keyboard, mouse) = (Keyboard::default(), Mouse::default());
        Ok(Self { keyboard, mouse, output, write_cmd: 0, last: 0, reply: 0 })
    }

    /// As in QEMU a command that waits for its data byte goes on waiting, and
    /// the data port returns what it returned last.
    fn reset(&mut self, cx: &mut Context<'_>) {
        self.keyboard.reset();
        self.mouse.reset();
        self.output.reset();
        self.drive(cx);
    }

    fn io_read(&mut self, cx: &mut Context<'_>, region: u32, _offset: u64, _size: u8) -> u64 {
        match region {
            DATA => self.read_data(cx).into(),
            _ => self.output.status.into_bits().into(),
        }
    }

    fn io_write(&mut self, cx: &mut Context<'_>, region: u32, _offset: u64, _size: u8, value: u64) {
        match region {
            DATA => self.write_data(cx, value as u8),
            _ => self.command(cx, value as u8),
        }
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        state::declare(self, sections);
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        self.drive(cx);
        Ok(())
    }
}

impl I8042 {
    /// Sets all output lines to what the registers say.
    fn drive(&self, cx: &mut Context<'_>) {
        self.output.drive(cx);
        cx.set_line(A20, self.output.port.a20());
    }
}

southbridge_sdk::export!(I8042, human_input);
