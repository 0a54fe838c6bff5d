//! What a person does: keys, and the mouse.

use southbridge_sdk::wit::{MouseButton, WakeupReason};
use southbridge_sdk::{Context, HumanInput};

use crate::I8042;
use crate::keyboard::Keyboard;
use crate::keys::{self, PAUSE, PRINT, modifier};

/// Before the code of a key that is released, in sets 2 and 3; bit 7 in set 1.
const BREAK: u8 = 0xf0;
const BREAK_1: u8 = 0x80;

const SHIFT: u8 = modifier::LEFT_SHIFT | modifier::RIGHT_SHIFT;
const CTRL: u8 = modifier::LEFT_CTRL | modifier::RIGHT_CTRL;

impl HumanInput for I8042 {
    fn key(&mut self, cx: &mut Context<'_>, code: u16, down: bool) {
        if !self.keyboard.scan_enabled {
            return;
        }
        cx.wake(WakeupReason::Other);
        for byte in self.keyboard.bytes_of(code, down) {
            let Some(byte) = self.keyboard.translated(byte) else { continue };
            if self.keyboard.queue.push(&[byte]) {
                self.output.note(cx, |pending| pending.set_keyboard(true));
            }
        }
    }

    fn moved(&mut self, cx: &mut Context<'_>, x: i32, y: i32) {
        if (x, y) != (0, 0) && self.mouse.is_enabled() {
            self.mouse.add([x, y.wrapping_neg(), 0]);
            self.report(cx);
        }
    }

    fn button(&mut self, cx: &mut Context<'_>, button: MouseButton, down: bool) {
        if !self.mouse.is_enabled() {
            return;
        }
        match button {
            MouseButton::Left => self.mouse.set_button(0x01, down),
            MouseButton::Right => self.mouse.set_button(0x02, down),
            MouseButton::Middle => self.mouse.set_button(0x04, down),
            MouseButton::WheelUp if down => self.mouse.add([0, 0, -1]),
            MouseButton::WheelDown if down => self.mouse.add([0, 0, 1]),
            MouseButton::WheelUp | MouseButton::WheelDown => {}
        }
        self.report(cx);
    }
}

impl I8042 {
    /// The mouse reports, as often as all of its movement takes.
    fn report(&mut self, cx: &mut Context<'_>) {
        if self.mouse.buttons != 0 {
            cx.wake(WakeupReason::Other);
        }
        while self.mouse.streams() && self.mouse.report() {
            self.output.note(cx, |pending| pending.set_mouse(true));
            if self.mouse.movement == [0; 3] {
                break;
            }
        }
    }
}

impl Keyboard {
    /// What the keyboard sends when a key is pressed or released.
    fn bytes_of(&mut self, key: u16, down: bool) -> Vec<u8> {
        let bit = keys::modifier_bit(key);
        self.modifiers = if down { self.modifiers | bit } else { self.modifiers & !bit };
        let set = self.scan_code_set;
        match key {
            PAUSE if set < 3 => pause(set, self.modifiers, down).to_vec(),
            _ if PRINT.contains(&key) && set < 3 => print(set, self.modifiers, down).to_vec(),
            _ => {
                let key = if PRINT.contains(&key) { PRINT[1] } else { key };
                keys::code(set, key).map(|code| with_break(set, code, down)).unwrap_or_default()
            }
        }
    }

    /// What the controller passes on of a byte; the break code becomes a bit of the
    /// next.
    fn translated(&mut self, byte: u8) -> Option<u8> {
        if !self.translate {
            return Some(byte);
        }
        if byte == BREAK {
            self.need_high_bit = true;
            return None;
        }
        let high = if std::mem::take(&mut self.need_high_bit) { BREAK_1 } else { 0 };
        Some(keys::translated(byte) | high)
    }
}

fn with_break(set: u8, code: u16, down: bool) -> Vec<u8> {
    let [prefix, code] = code.to_be_bytes();
    let mut bytes = Vec::with_capacity(3);
    bytes.extend((prefix != 0).then_some(prefix));
    if set != 1 {
        bytes.extend((!down).then_some(BREAK));
    }
    bytes.push(if set == 1 && !down { code | BREAK_1 } else { code });
    bytes
}

/// Pause sends all when it is pressed; with Ctrl it is Break.
const fn pause(set: u8, modifiers: u8, down: bool) -> &'static [u8] {
    match (set, modifiers & CTRL != 0) {
        _ if !down => &[],
        (1, true) => &[0xe0, 0x46, 0xe0, 0xc6],
        (1, false) => &[0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5],
        (_, true) => &[0xe0, 0x7e, 0xe0, 0xf0, 0x7e],
        (_, false) => &[0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77],
    }
}

/// Print Screen comes with a Shift of its own, unless Shift or Ctrl is held; with Alt
/// it is another key, before and after which Alt is released.
const fn print(set: u8, modifiers: u8, down: bool) -> &'static [u8] {
    let (left_alt, right_alt) =
        (modifiers & modifier::LEFT_ALT != 0, modifiers & modifier::RIGHT_ALT != 0);
    match (set, down) {
        (1, true) if left_alt => &[0xb8, 0x38, 0x54],
        (1, false) if left_alt => &[0xd4, 0xb8, 0x38],
        (1, true) if right_alt => &[0xe0, 0xb8, 0xe0, 0x38, 0x54],
        (1, false) if right_alt => &[0xd4, 0xe0, 0xb8, 0xe0, 0x38],
        (1, true) if modifiers & (SHIFT | CTRL) != 0 => &[0xe0, 0x37],
        (1, false) if modifiers & (SHIFT | CTRL) != 0 => &[0xe0, 0xb7],
        (1, true) => &[0xe0, 0x2a, 0xe0, 0x37],
        (1, false) => &[0xe0, 0xb7, 0xe0, 0xaa],
        (_, true) if left_alt => &[0xf0, 0x11, 0x11, 0x84],
        (_, false) if left_alt => &[0xf0, 0x84, 0xf0, 0x11, 0x11],
        (_, true) if right_alt => &[0xe0, 0xf0, 0x11, 0xe0, 0x11, 0x84],
        (_, false) if right_alt => &[0xf0, 0x84, 0xe0, 0xf0, 0x11, 0xe0, 0x11],
        (_, true) if modifiers & (SHIFT | CTRL) != 0 => &[0xe0, 0x7c],
        (_, false) if modifiers & (SHIFT | CTRL) != 0 => &[0xe0, 0xf0, 0x7c],
        (_, true) => &[0xe0, 0x12, 0xe0, 0x7c],
        (_, false) => &[0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12],
    }
}
