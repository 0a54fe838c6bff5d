//! The controller's commands, and the way of bytes between the guest and the
//! two devices.

use southbridge_sdk::Context;
use southbridge_sdk::wit::Request;

use crate::output::Source;
use crate::regs::{Mode, OutputPort, command};
use crate::{A20, I8042};

impl I8042 {
    /// A write to the command port. What is no command changes nothing.
    pub(crate) fn command(&mut self, cx: &mut Context<'_>, byte: u8) {
        match byte {
            command::READ_MODE => self.answer(cx, self.output.mode.into_bits(), false),
            command::WRITE_MODE
            | command::WRITE_OUTPUT_PORT
            | command::WRITE_KEYBOARD_BUFFER
            | command::WRITE_MOUSE_BUFFER
            | command::WRITE_MOUSE => self.write_cmd = byte,
            command::DISABLE_MOUSE => self.output.mode.set_disable_mouse(true),
            command::ENABLE_MOUSE => self.enable(cx, |mode| mode.set_disable_mouse(false)),
            command::DISABLE_KEYBOARD => self.output.mode.set_disable_keyboard(true),
            command::ENABLE_KEYBOARD => self.enable(cx, |mode| mode.set_disable_keyboard(false)),
            command::TEST_MOUSE | command::TEST_KEYBOARD => self.answer(cx, 0x00, false),
            command::SELF_TEST => {
                self.output.status.set_system(true);
                self.answer(cx, 0x55, false);
            }
            // The keyboard is not locked.
            command::READ_INPUT_PORT => self.answer(cx, 0x80, false),
            command::READ_OUTPUT_PORT => self.answer(cx, self.output.port.into_bits(), false),
            command::ENABLE_A20 => self.set_a20(cx, true),
            command::DISABLE_A20 => self.set_a20(cx, false),
            // Of the pulses only that of the reset line means anything.
            command::PULSE.. if byte & 1 == 0 => cx.ask_power(Request::Reset),
            _ => {}
        }
    }

    /// A write to the data port: the data byte of a controller command, or a
    /// byte for the keyboard.
    pub(crate) fn write_data(&mut self, cx: &mut Context<'_>, byte: u8) {
        match std::mem::take(&mut self.write_cmd) {
            0 => {
                self.keyboard.write(byte);
                self.output.note(cx, |pending| pending.set_keyboard(true));
                self.enable(cx, |mode| mode.set_disable_keyboard(false));
            }
            command::WRITE_MODE => {
                self.output.mode = Mode::from_bits(byte);
                self.keyboard.translate = self.output.mode.translate();
                self.output.update(cx);
                self.output.fill(cx);
            }
            command::WRITE_KEYBOARD_BUFFER => self.answer(cx, byte, false),
            command::WRITE_MOUSE_BUFFER => self.answer(cx, byte, true),
            command::WRITE_OUTPUT_PORT => {
                self.output.port = OutputPort::from_bits(byte);
                cx.set_line(A20, self.output.port.a20());
                if !self.output.port.run() {
                    cx.ask_power(Request::Reset);
                }
            }
            command::WRITE_MOUSE => {
                if self.mouse.write(byte) {
                    self.output.note(cx, |pending| pending.set_mouse(true));
                }
                self.enable(cx, |mode| mode.set_disable_mouse(false));
            }
            // Only a loaded state can say so.
            _ => {}
        }
    }

    /// A read of the data port. An empty output buffer reads as the last time.
    pub(crate) fn read_data(&mut self, cx: &mut Context<'_>) -> u8 {
        if self.output.status.obf() {
            self.output.empty(cx);
            self.last = match self.output.source {
                Source::Nobody => self.last,
                Source::Keyboard => self.read_keyboard(cx),
                Source::Mouse => self.read_mouse(cx),
                Source::Controller => self.read_reply(cx),
            };
        }
        self.last
    }

    /// The controller's own answer to a command, in the name of the keyboard or
    /// the mouse.
    fn answer(&mut self, cx: &mut Context<'_>, byte: u8, as_mouse: bool) {
        if self.output.extended {
            self.reply = byte;
            self.output.note(cx, |pending| {
                pending.set_controller(!as_mouse);
                pending.set_controller_as_mouse(as_mouse);
            });
        } else if as_mouse {
            if self.mouse.queue.push(&[byte]) {
                self.output.note(cx, |pending| pending.set_mouse(true));
            }
        } else if self.keyboard.queue.push(&[byte]) {
            self.output.note(cx, |pending| pending.set_keyboard(true));
        }
    }

    fn enable(&mut self, cx: &mut Context<'_>, change: impl FnOnce(&mut Mode)) {
        change(&mut self.output.mode);
        self.output.fill(cx);
    }

    fn set_a20(&mut self, cx: &mut Context<'_>, open: bool) {
        self.output.port.set_a20(open);
        cx.set_line(A20, open);
    }

    /// Between the byte that is read and the next one of the same device, the
    /// other device gets its turn.
    fn read_keyboard(&mut self, cx: &mut Context<'_>) -> u8 {
        let queue = &mut self.keyboard.queue;
        let Some(byte) = queue.pop() else { return queue.last() };
        self.output.note(cx, |pending| pending.set_keyboard(false));
        if queue.count > 0 {
            self.output.note(cx, |pending| pending.set_keyboard(true));
        }
        byte
    }

    fn read_mouse(&mut self, cx: &mut Context<'_>) -> u8 {
        let queue = &mut self.mouse.queue;
        let Some(byte) = queue.pop() else { return queue.last() };
        self.output.note(cx, |pending| pending.set_mouse(false));
        if queue.count > 0 {
            self.output.note(cx, |pending| pending.set_mouse(true));
        }
        byte
    }

    fn read_reply(&mut self, cx: &mut Context<'_>) -> u8 {
        self.output.note(cx, |pending| {
            pending.set_controller(false);
            pending.set_controller_as_mouse(false);
        });
        self.reply
    }
}
