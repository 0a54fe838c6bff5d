//! Registers and commands of the controller, with IBM's names.

use bitfield_struct::bitfield;

/// The status register, port 0x64.
#[bitfield(u8)]
pub(crate) struct Status {
    /// Output buffer full.
    pub(crate) obf: bool,
    /// Input buffer full: never, commands take no time.
    __: bool,
    /// System flag: the self-test has passed.
    pub(crate) system: bool,
    /// The last write was a command; QEMU has it set from the reset on.
    #[bits(default = true)]
    __: bool,
    /// Inhibit switch: the keyboard is not locked.
    #[bits(default = true)]
    __: bool,
    /// The byte in the output buffer counts as the mouse's.
    pub(crate) mouse_obf: bool,
    /// Time-out and parity errors.
    #[bits(2)]
    __: u8,
}

/// The controller command byte.
#[bitfield(u8)]
pub(crate) struct Mode {
    /// Enable keyboard interrupt.
    #[bits(default = true)]
    pub(crate) keyboard_interrupt: bool,
    /// Enable mouse interrupt.
    #[bits(default = true)]
    pub(crate) mouse_interrupt: bool,
    #[bits(2)]
    __: u8,
    /// Disable keyboard.
    pub(crate) disable_keyboard: bool,
    /// Disable mouse.
    pub(crate) disable_mouse: bool,
    /// Keyboard translate: scan codes of set 2 become those of set 1.
    pub(crate) translate: bool,
    __: bool,
}

/// The output port, P2.
#[bitfield(u8)]
pub(crate) struct OutputPort {
    /// P20: the processor runs; 0 resets it.
    #[bits(default = true)]
    pub(crate) run: bool,
    /// P21: the A20 gate is open.
    #[bits(default = true)]
    pub(crate) a20: bool,
    /// P22 and P23, high: systems write 0xdd or 0xdf for the gate.
    #[bits(2, default = 3)]
    __: u8,
    /// P24: the keyboard's byte is in the output buffer.
    pub(crate) obf: bool,
    /// P25: the mouse's byte is.
    pub(crate) mouse_obf: bool,
    /// Clock and data of the keyboard's wire.
    #[bits(2, default = 3)]
    __: u8,
}

/// Commands to the controller, written to port 0x64.
pub(crate) mod command {
    pub(crate) const READ_MODE: u8 = 0x20;
    pub(crate) const WRITE_MODE: u8 = 0x60;
    pub(crate) const DISABLE_MOUSE: u8 = 0xa7;
    pub(crate) const ENABLE_MOUSE: u8 = 0xa8;
    pub(crate) const TEST_MOUSE: u8 = 0xa9;
    pub(crate) const SELF_TEST: u8 = 0xaa;
    pub(crate) const TEST_KEYBOARD: u8 = 0xab;
    pub(crate) const DISABLE_KEYBOARD: u8 = 0xad;
    pub(crate) const ENABLE_KEYBOARD: u8 = 0xae;
    pub(crate) const READ_INPUT_PORT: u8 = 0xc0;
    pub(crate) const READ_OUTPUT_PORT: u8 = 0xd0;
    pub(crate) const WRITE_OUTPUT_PORT: u8 = 0xd1;
    pub(crate) const WRITE_KEYBOARD_BUFFER: u8 = 0xd2;
    pub(crate) const WRITE_MOUSE_BUFFER: u8 = 0xd3;
    pub(crate) const WRITE_MOUSE: u8 = 0xd4;
    /// Not IBM's, like the next: closes the A20 gate.
    pub(crate) const DISABLE_A20: u8 = 0xdd;
    pub(crate) const ENABLE_A20: u8 = 0xdf;
    /// From here on the low four bits say which bits of the output port stay as
    /// they are while the others are pulsed low for a moment.
    pub(crate) const PULSE: u8 = 0xf0;
}
