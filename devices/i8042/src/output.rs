//! The output buffer: whose byte the guest reads next, and which interrupt says
//! so.

use bitfield_struct::bitfield;
use southbridge_sdk::Context;

use crate::regs::{Mode, OutputPort, Status};
use crate::{KEYBOARD_IRQ, MOUSE_IRQ};

/// Who has a byte for the guest.
#[bitfield(u8)]
#[derive(PartialEq, Eq)]
pub(crate) struct Pending {
    #[bits(2)]
    __: u8,
    /// The controller, in the keyboard's name.
    pub(crate) controller: bool,
    /// The controller, in the mouse's name.
    pub(crate) controller_as_mouse: bool,
    /// The keyboard.
    pub(crate) keyboard: bool,
    /// The mouse.
    pub(crate) mouse: bool,
    #[bits(2)]
    __: u8,
}

/// Whose byte is in the output buffer, with QEMU's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Source {
    #[default]
    Nobody = 0,
    Keyboard = 1,
    Mouse = 2,
    Controller = 4,
}

impl Source {
    /// The source with a number.
    pub(crate) fn from_number(number: u32) -> Option<Self> {
        let all = [Self::Nobody, Self::Keyboard, Self::Mouse, Self::Controller];
        all.into_iter().find(|source| *source as u32 == number)
    }
}

/// The output buffer and the registers it depends on.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) status: Status,
    pub(crate) mode: Mode,
    pub(crate) port: OutputPort,
    pub(crate) pending: Pending,
    pub(crate) source: Source,
    /// The levels of the two interrupts. They follow the registers, but not
    /// every change of the mode at once.
    pub(crate) interrupts: [bool; 2],
    /// QEMU's `extended-state`, since version 6.1: the controller has a place
    /// for its own byte, and a device that is disabled keeps its bytes.
    pub(crate) extended: bool,
}

impl Output {
    /// As after a reset.
    pub(crate) fn new(extended: bool) -> Self {
        Self {
            status: Status::new(),
            mode: Mode::new(),
            port: OutputPort::new(),
            pending: Pending::new(),
            source: Source::Nobody,
            interrupts: [false; 2],
            extended,
        }
    }

    /// A system reset. Whose byte was last in the buffer is not forgotten.
    pub(crate) fn reset(&mut self) {
        *self = Self { source: self.source, ..Self::new(self.extended) };
    }

    /// Notes who has a byte and who has none any more, and fills the buffer if
    /// it is empty.
    pub(crate) fn note(&mut self, cx: &mut Context<'_>, change: impl FnOnce(&mut Pending)) {
        change(&mut self.pending);
        self.fill(cx);
    }

    /// Fills the buffer if it is empty and somebody has a byte.
    pub(crate) fn fill(&mut self, cx: &mut Context<'_>) {
        if !self.status.obf() && self.ready() != Pending::new() {
            self.choose(cx);
        }
    }

    /// Takes the byte out of the buffer.
    pub(crate) fn empty(&mut self, cx: &mut Context<'_>) {
        self.show(false, false);
        self.update(cx);
    }

    /// Sets the interrupts to what buffer and mode say.
    pub(crate) fn update(&mut self, cx: &mut Context<'_>) {
        self.interrupts = due(self.status, self.mode);
        self.drive(cx);
    }

    /// Drives the interrupt lines.
    pub(crate) fn drive(&self, cx: &mut Context<'_>) {
        let [keyboard, mouse] = self.interrupts;
        cx.set_line(KEYBOARD_IRQ, keyboard);
        cx.set_line(MOUSE_IRQ, mouse);
    }

    /// Puts the byte of whoever comes first into the buffer.
    fn choose(&mut self, cx: &mut Context<'_>) {
        let ready = self.ready();
        let (source, as_mouse) = if ready.controller() {
            (Source::Controller, false)
        } else if ready.controller_as_mouse() {
            (Source::Controller, true)
        } else if ready.keyboard() {
            (Source::Keyboard, false)
        } else {
            (Source::Mouse, true)
        };
        self.source = source;
        self.show(true, as_mouse);
        self.update(cx);
    }

    fn show(&mut self, full: bool, as_mouse: bool) {
        self.status.set_obf(full);
        self.status.set_mouse_obf(as_mouse);
        self.port.set_obf(full);
        self.port.set_mouse_obf(as_mouse);
    }

    /// Who has a byte and may deliver it.
    fn ready(&self) -> Pending {
        let Self { pending, mode, extended, .. } = *self;
        let keyboard = !(extended && mode.disable_keyboard());
        let mouse = !(extended && mode.disable_mouse());
        pending.with_keyboard(pending.keyboard() && keyboard).with_mouse(pending.mouse() && mouse)
    }
}

/// The interrupts, keyboard and mouse, that buffer and mode ask for.
pub(crate) fn due(status: Status, mode: Mode) -> [bool; 2] {
    let keyboard = mode.keyboard_interrupt() && !mode.disable_keyboard();
    let of_mouse = status.mouse_obf();
    [!of_mouse && keyboard, of_mouse && mode.mouse_interrupt()].map(|due| due && status.obf())
}
