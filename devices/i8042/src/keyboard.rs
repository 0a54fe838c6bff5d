//! The keyboard: 101 or 102 keys, three sets of scan codes.

use crate::queue::Queue;

/// Commands from the system.
mod command {
    pub(super) const SET_LEDS: u8 = 0xed;
    pub(super) const ECHO: u8 = 0xee;
    pub(super) const SCAN_CODE_SET: u8 = 0xf0;
    pub(super) const READ_ID: u8 = 0xf2;
    pub(super) const SET_RATE: u8 = 0xf3;
    pub(super) const ENABLE: u8 = 0xf4;
    pub(super) const DEFAULT_DISABLE: u8 = 0xf5;
    pub(super) const SET_DEFAULT: u8 = 0xf6;
    pub(super) const SET_ALL_TYPEMATIC_MAKE_BREAK: u8 = 0xfa;
    pub(super) const SET_KEY_MAKE_BREAK: u8 = 0xfc;
    pub(super) const RESET: u8 = 0xff;
}

const ACK: u8 = 0xfa;
const RESEND: u8 = 0xfe;
/// The basic assurance test has passed.
const TEST_PASSED: u8 = 0xaa;

/// What the controller's translation makes of the bytes 0 to 3, of which the
/// last three are the names of the sets.
const TRANSLATED: [u8; 4] = [0xff, 0x43, 0x41, 0x3f];

/// The keyboard.
#[derive(Clone, Debug)]
pub(crate) struct Keyboard {
    pub(crate) queue: Queue,
    /// The command that waits for its data byte; -1 if none does.
    pub(crate) write_cmd: i32,
    /// Whether keys are scanned.
    pub(crate) scan_enabled: bool,
    /// Whether the controller translates: what it sends is what the guest sees.
    pub(crate) translate: bool,
    /// The set of scan codes, 1 to 3.
    pub(crate) scan_code_set: u8,
    pub(crate) leds: u8,
    /// A key is being released: its translated code gets bit 7.
    pub(crate) need_high_bit: bool,
    /// The keys that are held and change the codes of others.
    pub(crate) modifiers: u8,
}

impl Default for Keyboard {
    fn default() -> Self {
        Self {
            queue: Queue::default(),
            write_cmd: -1,
            scan_enabled: true,
            translate: false,
            scan_code_set: 2,
            leds: 0,
            need_high_bit: false,
            modifiers: 0,
        }
    }
}

impl Keyboard {
    /// A system reset. As in QEMU, the lamps stay as they are.
    pub(crate) fn reset(&mut self) {
        let Self { queue, leds, need_high_bit, .. } = self;
        queue.clear();
        let (queue, leds, need_high_bit) = (queue.clone(), *leds, *need_high_bit);
        *self = Self { queue, leds, need_high_bit, ..Self::default() };
    }

    /// Takes a byte from the system. Every byte is answered.
    pub(crate) fn write(&mut self, byte: u8) {
        // A value that is no command with data counts as none, as in QEMU.
        let waiting = u8::try_from(self.write_cmd).unwrap_or(0);
        match waiting {
            command::SCAN_CODE_SET => self.select_set(byte),
            command::SET_LEDS => {
                self.leds = byte;
                self.queue.reply(&[ACK]);
            }
            command::SET_RATE | command::SET_KEY_MAKE_BREAK => self.queue.reply(&[ACK]),
            _ => return self.command(byte),
        }
        self.write_cmd = -1;
    }

    fn command(&mut self, byte: u8) {
        match byte {
            command::READ_ID => {
                // An MF2 keyboard: 0xab 0x83, the latter translated or not.
                let id = if self.translate { 0x41 } else { 0x83 };
                self.queue.reply(&[ACK, 0xab, id]);
            }
            command::ECHO => self.queue.reply(&[command::ECHO]),
            command::ENABLE => {
                self.scan_enabled = true;
                self.queue.reply(&[ACK]);
            }
            command::SCAN_CODE_SET
            | command::SET_LEDS
            | command::SET_RATE
            | command::SET_KEY_MAKE_BREAK => {
                self.write_cmd = byte.into();
                self.queue.reply(&[ACK]);
            }
            command::DEFAULT_DISABLE => {
                self.set_default();
                self.scan_enabled = false;
                self.queue.reply(&[ACK]);
            }
            command::SET_DEFAULT => {
                self.set_default();
                self.queue.reply(&[ACK]);
            }
            command::RESET => {
                self.set_default();
                self.queue.reply(&[ACK, TEST_PASSED]);
            }
            // QEMU acknowledges 0, which some systems send.
            0x00 | command::SET_ALL_TYPEMATIC_MAKE_BREAK => self.queue.reply(&[ACK]),
            _ => self.queue.reply(&[RESEND]),
        }
    }

    fn set_default(&mut self) {
        self.scan_enabled = true;
        self.scan_code_set = 2;
        self.queue.clear();
        self.leds = 0;
    }

    fn select_set(&mut self, byte: u8) {
        match byte {
            0 => {
                let set = self.scan_code_set;
                let translated = TRANSLATED[usize::from(set & 3)];
                self.queue.reply(&[ACK, if self.translate { translated } else { set }]);
            }
            1..=3 => {
                self.scan_code_set = byte;
                self.queue.reply(&[ACK]);
            }
            _ => self.queue.reply(&[RESEND]),
        }
    }
}
