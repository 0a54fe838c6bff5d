//! Keys and the mouse.

use serde::Serialize;

use super::{Key, Problem};
use crate::component::MouseButton;
use crate::guest::{Guest, RunState};

/// Something that a person does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A key.
    Key {
        /// Which.
        key: Key,
        /// Whether it is pressed.
        down: bool,
    },
    /// A button of the mouse.
    Button {
        /// Which; none if the guest's mouse does not have it.
        button: Option<MouseButton>,
        /// Whether it is pressed.
        down: bool,
    },
    /// The mouse moves by that much to the right.
    Right(i64),
    /// The mouse moves by that much down.
    Down(i64),
    /// The pointer is put somewhere. No device takes that.
    Place,
}

impl Event {
    /// QEMU's name of the kind (`InputEventKind`).
    const fn kind(self) -> &'static str {
        match self {
            Self::Key { .. } => "key",
            Self::Button { .. } => "btn",
            Self::Right(_) | Self::Down(_) => "rel",
            Self::Place => "abs",
        }
    }
}

/// Whether a guest takes what a person does.
fn takes_input(guest: &Guest) -> bool {
    matches!(guest.state(), RunState::Running | RunState::Suspended)
}

/// Lets a person do something at the screen of a device.
///
/// # Errors
/// There is no such screen, the guest does not run, or it has no device that takes an
/// event: then nothing is done.
pub fn send(
    guest: &Guest,
    device: Option<&str>,
    head: Option<i64>,
    events: &[Event],
) -> Result<(), Problem> {
    let machine = guest.machine();
    if let Some(device) = device {
        super::console::check(machine, device, head.unwrap_or(0))?;
    }
    if !takes_input(guest) {
        return Err(Problem::other("VM not running"));
    }
    let untaken = |event: &&Event| **event == Event::Place || !machine.has_keyboard();
    if let Some(event) = events.iter().find(untaken) {
        let text = format!("Input handler not found for event type {}", event.kind());
        return Err(Problem::other(text));
    }
    // All that the mouse moves between two clicks is one movement.
    let (mut right, mut down) = (0, 0);
    for event in events {
        match *event {
            Event::Right(by) => right = clamp(i64::from(right) + clamp_wide(by)),
            Event::Down(by) => down = clamp(i64::from(down) + clamp_wide(by)),
            Event::Key { key, down } => {
                if let Some(code) = key.number() {
                    machine.key(code, down);
                }
            }
            Event::Button { button, down: pressed } => {
                moved(guest, &mut right, &mut down);
                if let Some(button) = button {
                    machine.mouse_button(button, pressed);
                }
            }
            Event::Place => {}
        }
    }
    moved(guest, &mut right, &mut down);
    Ok(())
}

fn moved(guest: &Guest, right: &mut i32, down: &mut i32) {
    let (x, y) = (std::mem::take(right), std::mem::take(down));
    if (x, y) != (0, 0) {
        guest.machine().mouse_moved(x, y);
    }
}

fn clamp(value: i64) -> i32 {
    value.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

fn clamp_wide(value: i64) -> i64 {
    clamp(value).into()
}

/// How long a key is held that nobody says more of, in milliseconds.
const HOLD: i64 = 10;

/// How long keys are held, in milliseconds: what was asked for, as far as it makes
/// sense.
#[must_use]
pub const fn hold(asked: Option<i64>) -> u64 {
    match asked {
        Some(asked) if asked > 0 => asked as u64,
        _ => HOLD as u64,
    }
}

/// Presses keys one after the other and releases them in the opposite order, with
/// `hold` milliseconds of guest time after each. A guest that does not run notices
/// nothing.
pub fn press(guest: &Guest, keys: &[Key], hold: u64) {
    if !takes_input(guest) {
        return;
    }
    let machine = guest.machine();
    let down = keys.iter().map(|key| (key, true));
    for (key, down) in down.chain(keys.iter().rev().map(|key| (key, false))) {
        if let Some(code) = key.number() {
            machine.key(code, down);
        }
        machine.typing_waits(hold.saturating_mul(1_000_000));
    }
}

/// `MouseInfo`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Mouse {
    /// QEMU's number of it.
    pub index: u32,
    /// QEMU's name of it.
    pub name: &'static str,
    current: bool,
    absolute: bool,
}

impl Mouse {
    /// The mouse of the PC, if there is one.
    #[must_use]
    pub fn of(guest: &Guest) -> Option<Self> {
        let mouse = Self { index: 2, name: "QEMU PS/2 Mouse", current: true, absolute: false };
        guest.machine().has_keyboard().then_some(mouse)
    }
}

/// Moves the mouse, and turns its wheel by one if `wheel` is not 0: up if it is more.
pub fn mouse_move(guest: &Guest, right: i32, down: i32, wheel: i32) {
    if !takes_input(guest) {
        return;
    }
    let machine = guest.machine();
    machine.mouse_moved(right, down);
    if wheel != 0 {
        let button = if wheel > 0 { MouseButton::WheelUp } else { MouseButton::WheelDown };
        machine.mouse_button(button, true);
        machine.mouse_button(button, false);
    }
}

/// The buttons, with their bits in QEMU's `mouse_button`.
const BUTTONS: [(MouseButton, u32); 3] =
    [(MouseButton::Left, 1), (MouseButton::Middle, 4), (MouseButton::Right, 2)];

/// Presses and releases the buttons whose state is another one than this says it was
/// last.
pub fn mouse_button(guest: &Guest, state: u32) {
    let before = guest.machine().hold_buttons(state);
    if !takes_input(guest) {
        return;
    }
    for (button, bit) in BUTTONS {
        if (before ^ state) & bit != 0 {
            guest.machine().mouse_button(button, state & bit != 0);
        }
    }
}
