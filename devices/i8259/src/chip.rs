//! One controller.

use crate::regs::{ICW2_BITS, Icw1, Icw4, Ocw2, Ocw3};

/// What the next write to the data port is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Expected {
    /// OCW1, the mask.
    #[default]
    Mask,
    Icw2,
    Icw3,
    Icw4,
}

/// Whether the output may have changed, and has to be driven. QEMU does not look
/// at it after every write that could change it.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Update(pub(crate) bool);

/// A controller. The registers of requests have a bit for each input.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chip {
    /// Whether this is the one with the processor at its output.
    pub(crate) is_master: bool,
    /// Whether ICW1 can make all inputs level-triggered.
    pub(crate) has_ltim: bool,
    /// The levels of the inputs as they were last told.
    pub(crate) levels: u8,
    pub(crate) irr: u8,
    pub(crate) imr: u8,
    pub(crate) isr: u8,
    /// The input of the highest priority.
    pub(crate) first: u8,
    pub(crate) vectors: u8,
    pub(crate) reads_isr: bool,
    pub(crate) polls: bool,
    pub(crate) special_mask: bool,
    pub(crate) expected: Expected,
    pub(crate) automatic_end: bool,
    pub(crate) rotates_automatically: bool,
    pub(crate) special_fully_nested: bool,
    pub(crate) has_icw4: bool,
    pub(crate) is_single: bool,
    pub(crate) elcr: u8,
    pub(crate) level_triggered: bool,
}

/// The cascade's input at the master.
pub(crate) const CASCADE: u8 = 2;

impl Chip {
    pub(crate) fn new(is_master: bool, has_ltim: bool) -> Self {
        Self { is_master, has_ltim, ..Self::default() }
    }

    /// A reset of the machine.
    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.is_master, self.has_ltim);
    }

    /// The input whose interrupt is to be served now.
    pub(crate) fn pending(&self) -> Option<u8> {
        let requested = self.rank(self.irr & !self.imr)?;
        let mut served = self.isr;
        if self.special_mask {
            served &= !self.imr;
        }
        if self.special_fully_nested && self.is_master {
            served &= !(1 << CASCADE);
        }
        let is_higher = self.rank(served).is_none_or(|served| requested < served);
        is_higher.then_some((requested + self.first) & 7)
    }

    /// An input has a level.
    pub(crate) fn set_input(&mut self, input: u8, level: bool) -> Update {
        let bit = 1 << (input & 7);
        if level {
            if self.is_level(bit) || self.levels & bit == 0 {
                self.irr |= bit;
            }
            self.levels |= bit;
        } else {
            if self.is_level(bit) {
                self.irr &= !bit;
            }
            self.levels &= !bit;
        }
        Update(true)
    }

    /// The interrupt of an input is served from now on.
    pub(crate) fn serve(&mut self, input: u8) -> Update {
        let bit = 1 << (input & 7);
        if !self.automatic_end {
            self.isr |= bit;
        } else if self.rotates_automatically {
            self.first = after(input);
        }
        if !self.is_level(bit) {
            self.irr &= !bit;
        }
        Update(true)
    }

    /// A read of the command port, or of the data port.
    pub(crate) fn read(&mut self, is_command: bool) -> (u8, Update) {
        if std::mem::take(&mut self.polls) {
            return match self.pending() {
                Some(input) => (input | 0x80, self.serve(input)),
                None => (0, Update(false)),
            };
        }
        let value = match (is_command, self.reads_isr) {
            (true, true) => self.isr,
            (true, false) => self.irr,
            (false, _) => self.imr,
        };
        (value, Update(false))
    }

    /// A write to the command port.
    pub(crate) fn command(&mut self, value: u8) -> Update {
        if Icw1::from_bits(value).is_icw1() {
            self.initialize(Icw1::from_bits(value))
        } else if Ocw3::from_bits(value).is_ocw3() {
            let word = Ocw3::from_bits(value);
            self.polls |= word.poll();
            if word.read_register() {
                self.reads_isr = word.in_service();
            }
            if word.enable_special_mask() {
                self.special_mask = word.special_mask();
            }
            Update(false)
        } else {
            self.operate(Ocw2::from_bits(value))
        }
    }

    /// A write to the data port.
    pub(crate) fn data(&mut self, value: u8) -> Update {
        match self.expected {
            Expected::Mask => {
                self.imr = value;
                return Update(true);
            }
            Expected::Icw2 => {
                self.vectors = value & ICW2_BITS;
                self.expected = match (self.is_single, self.has_icw4) {
                    (false, _) => Expected::Icw3,
                    (true, true) => Expected::Icw4,
                    (true, false) => Expected::Mask,
                };
            }
            Expected::Icw3 => {
                self.expected = if self.has_icw4 { Expected::Icw4 } else { Expected::Mask };
            }
            Expected::Icw4 => {
                let word = Icw4::from_bits(value);
                self.special_fully_nested = word.special_fully_nested();
                self.automatic_end = word.automatic_end();
                self.expected = Expected::Mask;
            }
        }
        Update(false)
    }

    /// Requests of level-triggered inputs, as ELCR has them, outlive ICW1.
    fn initialize(&mut self, word: Icw1) -> Update {
        *self = Self {
            irr: self.irr & self.elcr,
            elcr: self.elcr,
            expected: Expected::Icw2,
            has_icw4: word.icw4(),
            is_single: word.single(),
            level_triggered: self.has_ltim && word.level_triggered(),
            ..Self::new(self.is_master, self.has_ltim)
        };
        Update(true)
    }

    /// The commands of OCW2, by the names of the data sheet's table.
    fn operate(&mut self, word: Ocw2) -> Update {
        match word.command() {
            // Rotate in automatic EOI mode, clear and set.
            0b000 => self.rotates_automatically = false,
            0b100 => self.rotates_automatically = true,
            // Non-specific EOI, and with rotation.
            command @ (0b001 | 0b101) => {
                let Some(rank) = self.rank(self.isr) else { return Update(false) };
                let input = (rank + self.first) & 7;
                self.isr &= !(1 << input);
                if command == 0b101 {
                    self.first = after(input);
                }
                return Update(true);
            }
            // Specific EOI, and with rotation; set priority.
            command @ (0b011 | 0b111 | 0b110) => {
                if command != 0b110 {
                    self.isr &= !(1 << word.level());
                }
                if command != 0b011 {
                    self.first = after(word.level());
                }
                return Update(true);
            }
            _ => {}
        }
        Update(false)
    }

    /// How far the first of the inputs in `bits` is from the highest priority.
    fn rank(&self, bits: u8) -> Option<u8> {
        let rank = bits.rotate_right(self.first.into()).trailing_zeros() as u8;
        (rank < 8).then_some(rank)
    }

    fn is_level(&self, bit: u8) -> bool {
        self.level_triggered || self.elcr & bit != 0
    }
}

fn after(input: u8) -> u8 {
    (input + 1) & 7
}
