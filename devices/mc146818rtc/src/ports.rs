//! The guest's way to the memory: an index and the byte there.

use southbridge_sdk::Context;

use crate::Mc146818;
use crate::regs::*;

/// Half a second: when the divider is let go, the first update comes after it.
const HALF_SECOND: i64 = 500_000_000;

impl Mc146818 {
    /// Reads the byte at the index.
    pub(crate) fn read(&mut self, cx: &mut Context<'_>) -> u8 {
        self.follow_century();
        let index = usize::from(self.index);
        match index {
            SECONDS | MINUTES | HOURS | DAY_OF_WEEK..=YEAR | CENTURY if self.runs() => {
                self.update_time(self.now(cx));
            }
            REGISTER_A => {
                let near = self.is_update_near(self.now(cx));
                let a = self.a();
                return a.with_update_in_progress(a.update_in_progress() || near).into();
            }
            REGISTER_C => return self.acknowledge(cx),
            _ => {}
        }
        self.memory[index]
    }

    /// Writes the byte at the index.
    pub(crate) fn write(&mut self, cx: &mut Context<'_>, byte: u8) {
        self.follow_century();
        let index = usize::from(self.index);
        match index {
            SECONDS_ALARM | MINUTES_ALARM | HOURS_ALARM => {
                self.memory[index] = byte;
                self.schedule_update(cx);
            }
            SECONDS | MINUTES | HOURS | DAY_OF_WEEK..=YEAR | CENTURY => {
                self.memory[index] = byte;
                if self.runs() {
                    self.set_time(self.now(cx));
                    self.schedule_update(cx);
                }
            }
            REGISTER_A => self.write_a(cx, byte.into()),
            REGISTER_B => self.write_b(cx, byte.into()),
            REGISTER_C | REGISTER_D => {}
            _ => self.memory[index] = byte,
        }
    }

    /// The century has two places; the index moves to the first.
    fn follow_century(&mut self) {
        if usize::from(self.index) == PS2_CENTURY {
            self.index = CENTURY as u8;
        }
    }

    /// A read of register C clears it.
    fn acknowledge(&mut self, cx: &mut Context<'_>) -> u8 {
        let c = self.c();
        self.memory[REGISTER_C] = 0;
        self.drive(cx);
        if c.update() || c.alarm() {
            self.schedule_update(cx);
        }
        c.into()
    }

    fn write_a(&mut self, cx: &mut Context<'_>, new: RegisterA) {
        let (old, period) = (self.a(), self.period());
        let mut near = old.update_in_progress();
        if new.is_reset() {
            if self.runs() {
                self.update_time(self.now(cx));
            }
            near = false;
        } else if old.is_reset() && new.runs() {
            if !self.b().set() {
                self.time.offset = HALF_SECOND;
                self.set_time(self.now(cx));
            }
            near = false;
        }
        self.memory[REGISTER_A] = new.with_update_in_progress(near).into();
        if new.rate() != old.rate() {
            self.change_period(cx, period);
        }
        self.schedule_update(cx);
    }

    fn write_b(&mut self, cx: &mut Context<'_>, mut new: RegisterB) {
        let (old, period) = (self.b(), self.period());
        if new.set() {
            if self.runs() {
                self.update_time(self.now(cx));
            }
            self.memory[REGISTER_A] = self.a().with_update_in_progress(false).into();
            new.set_update_enabled(false);
        } else if old.set() && self.a().runs() {
            self.time.offset = self.time.fraction(self.now(cx)) as i64;
            self.set_time(self.now(cx));
        }
        // A flag that is set already interrupts as soon as it is enabled.
        let due = new.into_bits() & self.memory[REGISTER_C] & FLAGS != 0;
        self.set_interrupt(cx, due);
        self.memory[REGISTER_B] = new.into();
        if new.periodic_enabled() != old.periodic_enabled() {
            self.change_period(cx, period);
        }
        self.schedule_update(cx);
    }
}
