//! What a person sees of a machine and does to it: the screen, keys, the mouse.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Machine;
use crate::component::{Effects, Frame, MouseButton, SlotId};
use crate::slot::Slot;

/// How many steps of typing may wait; what is more is lost, as in QEMU.
const LIMIT: usize = 1024;

/// Keys that are to be pressed and released, one after the other in guest time.
#[derive(Default)]
pub(super) struct Typing {
    steps: Mutex<VecDeque<Step>>,
    /// The buttons of the mouse that the operator holds, as he says it.
    buttons: AtomicU32,
}

enum Step {
    Key {
        code: u16,
        down: bool,
    },
    /// Nanoseconds.
    Wait(u64),
}

impl Typing {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Step>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Machine {
    /// What is on the screen of the first device that has one; none if no device in
    /// service has. To the device nothing happens.
    #[must_use]
    pub fn picture(&self) -> Option<Frame> {
        self.displays().find_map(|slot| self.look(|effects| slot.picture(effects)))
    }

    /// What is on the screen of the device in a slot.
    #[must_use]
    pub fn picture_of(&self, slot: &str) -> Option<Frame> {
        let slot = self.slot(slot).ok()?;
        self.look(|effects| slot.picture(effects))
    }

    /// The characters on the first screen, in rows from the top; none if it is not in a
    /// text mode, or there is none.
    #[must_use]
    pub fn screen_text(&self) -> Option<Vec<String>> {
        self.displays().find_map(|slot| self.look(|effects| slot.screen_text(effects)))
    }

    /// Whether there is a device that has a screen.
    #[must_use]
    pub fn has_display(&self) -> bool {
        self.displays().next().is_some()
    }

    /// The devices that have a screen.
    fn displays(&self) -> impl Iterator<Item = &Arc<Slot>> {
        self.slots.iter().filter(|slot| slot.image().exports().contains("display"))
    }

    fn look<R>(&self, look: impl FnOnce(&mut Effects) -> R) -> R {
        let mut effects = Effects::new();
        let seen = look(&mut effects);
        self.apply(&mut effects);
        seen
    }

    /// Whether there is a device that a person can operate.
    #[must_use]
    pub fn has_keyboard(&self) -> bool {
        self.operated().is_some()
    }

    fn operated(&self) -> Option<&Arc<Slot>> {
        self.slots.iter().find(|slot| slot.image().exports().contains("human-input"))
    }

    /// A key is pressed or released: at once, or behind what is being typed.
    pub fn key(&self, code: u16, down: bool) {
        let mut typing = self.typing.lock();
        if typing.is_empty() {
            drop(typing);
            self.key_now(code, down);
        } else if typing.len() < LIMIT {
            typing.push_back(Step::Key { code, down });
        }
    }

    /// What is typed from now on comes `delay` nanoseconds of guest time later.
    pub fn typing_waits(&self, delay: u64) {
        let mut typing = self.typing.lock();
        if typing.len() >= LIMIT {
            return;
        }
        if typing.is_empty() {
            self.arm_typing(delay);
        }
        typing.push_back(Step::Wait(delay));
    }

    /// Goes on typing after a wait.
    pub(super) fn typing_continues(&self) {
        let mut typing = self.typing.lock();
        if let Some(Step::Wait(_)) = typing.front() {
            typing.pop_front();
        }
        while let Some(step) = typing.front() {
            match *step {
                Step::Key { code, down } => {
                    typing.pop_front();
                    // Not with the lock held: the device may be anything.
                    drop(typing);
                    self.key_now(code, down);
                    typing = self.typing.lock();
                }
                Step::Wait(delay) => {
                    self.arm_typing(delay);
                    return;
                }
            }
        }
    }

    fn arm_typing(&self, delay: u64) {
        let deadline = self.clock.now().saturating_add(delay);
        self.timers.set(self.typing_timer(), 0, Some(deadline));
    }

    /// The timers' name of typing: the slot behind the last one.
    fn typing_timer(&self) -> SlotId {
        SlotId(u32::try_from(self.slots.len()).unwrap_or(u32::MAX))
    }

    fn key_now(&self, code: u16, down: bool) {
        self.operate(|slot, effects| slot.key(code, down, effects));
    }

    /// The mouse moves to the right and down.
    pub fn mouse_moved(&self, x: i32, y: i32) {
        self.operate(|slot, effects| slot.mouse_moved(x, y, effects));
    }

    /// A button of the mouse is pressed or released.
    pub fn mouse_button(&self, button: MouseButton, down: bool) {
        self.operate(|slot, effects| slot.mouse_button(button, down, effects));
    }

    /// Notes which buttons the operator holds from now on; returns those before.
    pub fn hold_buttons(&self, buttons: u32) -> u32 {
        self.typing.buttons.swap(buttons, Ordering::Relaxed)
    }

    fn operate(&self, action: impl FnOnce(&Slot, &mut Effects)) {
        if let Some(slot) = self.operated() {
            self.look(|effects| action(slot, effects));
        }
    }
}
