//! Draws what happens next to a device, from what it says it is.

mod menu;
mod spoil;

use super::action::Action;
use super::outcome::{Answer, Outcome};
use super::random::Random;
use super::rig::{RAM, Rig, Subject};
use crate::component::{
    Description, Failure, Image, Interface, Medium, MouseButton, PropertyValue, Scope, Section,
    Space, WakeupReason,
};
use crate::slot::GivenProperty;
use menu::{Kind, answered, inputs, menu};
use spoil::spoil;

/// Bytes at the beginning of a region among which most accesses are.
const NEAR: u64 = 256;

/// Draws actions. What it draws follows from the seed, the device and what came of
/// the actions before.
pub struct Draw {
    image: Image,
    random: Random,
    menu: Vec<(Kind, u64)>,
    /// The region that accesses go to for a while.
    region: u32,
    /// The place in it of the last access.
    offset: u64,
    /// Numbers that were read lately.
    seen: Vec<u64>,
    /// The last state that was saved.
    saved: Option<(Scope, Vec<Section>)>,
}

/// Which actions are drawn besides those that a guest and its machine bring about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// None.
    Guest,
    /// The device is saved and exchanged too, and is given states that nobody saved.
    All,
}

impl Draw {
    /// Draws for a component.
    #[must_use]
    pub fn new(image: &Image, range: Range, seed: u64) -> Self {
        let menu = menu(image, range);
        let (random, image) = (Random::new(seed), image.clone());
        let (seen, saved) = (Vec::new(), None);
        Self { image, random, menu, region: 0, offset: 0, seen, saved }
    }

    /// Draws what a component is configured with, of what is not set, and its files.
    #[must_use]
    pub fn subject(&mut self, subject: &Subject) -> Subject {
        let mut drawn = subject.clone();
        for given in self.properties() {
            if drawn.properties.iter().all(|set| set.name != given.name) {
                drawn.properties.push(given);
            }
        }
        drawn.files = self.files();
        drawn
    }

    /// Properties; half of the times none.
    fn properties(&mut self) -> Vec<GivenProperty> {
        let image = self.image.clone();
        let mut given = Vec::new();
        if self.random.once_in(2) {
            return given;
        }
        for declared in &image.description().properties {
            if !self.random.once_in(4) {
                continue;
            }
            let value = match &declared.default {
                PropertyValue::Flag(default) => PropertyValue::Flag(!default),
                PropertyValue::Number(default) => {
                    let near = [default.wrapping_add(1), default.saturating_sub(1), 0, 1];
                    let far = [self.random.magnitude(8), self.random.magnitude(64)];
                    let all = [&near[..], &far].concat();
                    PropertyValue::Number(*self.random.pick(&all))
                }
                // Nobody knows what the words mean.
                PropertyValue::Text(_) => continue,
            };
            given.push(GivenProperty { name: declared.name.clone(), value });
        }
        given
    }

    /// Files, for a device that hands any to the guest.
    fn files(&mut self) -> Vec<(String, Vec<u8>)> {
        let asked = self.image.imports().contains(&Interface::Files);
        let count = if asked { self.random.below(3) } else { 0 };
        let file = |number| {
            let length = self.random.magnitude(10);
            (format!("bench/{number}"), self.random.bytes(length))
        };
        (0..count).map(file).collect()
    }

    /// Draws an action for a device on the rig.
    pub fn next(&mut self, rig: &Rig) -> Action {
        let kind = self.kind(rig);
        let image = self.image.clone();
        let (of, random) = (image.description(), &mut self.random);
        match kind {
            Kind::Access => self.access(of),
            Kind::Line => {
                let inputs: Vec<_> = inputs(of).collect();
                let last = if random.once_in(2) { inputs.len().min(8) } else { inputs.len() };
                let line = *random.pick(&inputs[..last]);
                Action::Line { line, level: random.once_in(2) }
            }
            Kind::Advance => Action::Advance { time: self.time(rig) },
            Kind::Ram => {
                let (address, length) = (random.below(RAM), 1 + random.magnitude(6));
                Action::Ram { address: address & !3, data: random.bytes(length) }
            }
            Kind::Block => {
                let block = random.below(of.memories.len() as u64) as u32;
                let offset = random.below(of.memories[block as usize].size);
                let length = 1 + random.magnitude(5);
                Action::Block { block, offset, data: random.bytes(length) }
            }
            Kind::Medium => {
                let drive = random.below(of.drives.len() as u64) as u32;
                let size = *random.pick(&[512, 1_474_560, 1 << 20, 8 << 20, 0, 1 << 41]);
                let medium = Medium { size, read_only: random.once_in(3) };
                Action::Medium { drive, medium: (!random.once_in(4)).then_some(medium) }
            }
            Kind::Complete => {
                let failures = [None, None, None, Some(Failure::Io), Some(Failure::NoSpace)];
                Action::Complete { failure: *random.pick(&failures) }
            }
            Kind::Receive => {
                let stream = random.below(of.streams.len() as u64) as u32;
                let length = 1 + random.magnitude(5);
                Action::Receive { stream, data: random.bytes(length) }
            }
            Kind::Power => {
                let reasons = [WakeupReason::Other, WakeupReason::Rtc, WakeupReason::PmTimer];
                match random.once_in(2) {
                    true => Action::Button,
                    false => Action::Woken { reason: *random.pick(&reasons) },
                }
            }
            Kind::Acknowledge => Action::Acknowledge,
            Kind::Ended => Action::Ended { vector: random.next() as u8 },
            Kind::Person => self.person(),
            Kind::Screen if random.once_in(2) => Action::Picture,
            Kind::Screen => Action::Text,
            Kind::I2c => self.i2c(),
            Kind::IsaDma => match random.below(5) {
                0 | 1 => Action::DmaTake { length: random.magnitude(12) as u32 },
                2 | 3 => {
                    let length = random.magnitude(10);
                    Action::DmaGive { data: random.bytes(length) }
                }
                _ => Action::DmaEnd,
            },
            Kind::Reset => Action::Reset,
            Kind::Save => Action::Save { scope: scope(random) },
            Kind::Load => self.load(),
            Kind::Exchange => Action::Exchange,
        }
    }

    /// Learns from what came of the last action.
    pub fn learn(&mut self, action: &Action, outcome: &Outcome) {
        if let (Action::Read { .. }, Answer::Value(value)) = (action, &outcome.answer) {
            self.seen.truncate(7);
            self.seen.insert(0, *value);
        }
        if let Action::Save { scope } = action {
            self.saved = Some((*scope, outcome.sections()));
        }
    }

    fn kind(&mut self, rig: &Rig) -> Kind {
        // A device that waits for its drives does little else.
        if rig.pending() != 0 && self.random.once_in(3) {
            return Kind::Complete;
        }
        let total: u64 = self.menu.iter().map(|(_, weight)| weight).sum();
        let mut at = self.random.below(total);
        let found = self.menu.iter().find(|(_, weight)| {
            let found = at < *weight;
            at = at.saturating_sub(*weight);
            found
        });
        found.map_or(Kind::Advance, |(kind, _)| *kind)
    }

    /// An access to a register: mostly near the one before.
    fn access(&mut self, of: &Description) -> Action {
        let regions: Vec<_> = answered(of).collect();
        let random = &mut self.random;
        if !regions.contains(&self.region) || random.once_in(4) {
            self.region = *random.pick(&regions);
            self.offset = 0;
        }
        let region = &of.regions[self.region as usize];
        let widest = if region.space == Space::Memory { 3 } else { 2 };
        let size = 1 << random.below(widest + 1);
        let offset = match random.below(8) {
            0 => random.below(region.size),
            1 | 2 => self.offset,
            3 => self.offset.wrapping_add(size.into()),
            4 => region.size - 1 - random.magnitude(4).min(region.size - 1),
            _ => random.below(region.size.min(NEAR)),
        };
        // Now and then an access that is not aligned.
        let aligned = if random.once_in(8) { offset } else { offset & !(u64::from(size) - 1) };
        self.offset = aligned % region.size;
        let (region, offset) = (self.region, self.offset);
        if random.once_in(3) {
            return Action::Read { region, offset, size };
        }
        let value = self.value() & access::mask(size);
        Action::Write { region, offset, size, value }
    }

    /// A value that a register may take an interest in.
    fn value(&mut self) -> u64 {
        let random = &mut self.random;
        match random.below(8) {
            0 => 0,
            1 => u64::MAX,
            2 => 1 << random.below(64),
            // Where there is memory of the guest.
            3 => random.below(RAM) & !0xf,
            4 if !self.seen.is_empty() => *random.pick(&self.seen) ^ 1 << random.below(32),
            5 => random.below(16),
            6 => random.next(),
            _ => random.magnitude(16),
        }
    }

    /// Nanoseconds that pass: often just until something is due.
    fn time(&mut self, rig: &Rig) -> u64 {
        let due = rig.next_deadline().map(|deadline| deadline.saturating_sub(rig.now()));
        // Up to an hour, but not to the end of time.
        let due = due.filter(|due| *due < 3_600_000_000_000);
        match (due, self.random.below(4)) {
            (Some(due), 0 | 1) => due,
            (Some(due), 2) => due.saturating_sub(1),
            _ => self.random.magnitude(41),
        }
    }

    fn person(&mut self) -> Action {
        let random = &mut self.random;
        let down = random.once_in(2);
        let count = |random: &mut Random| random.magnitude(9) as i32 - random.magnitude(9) as i32;
        match random.below(4) {
            0 | 1 => {
                let code = *random.pick(&[0x1e, 0x1c, 0x9d, 0xe0, 0x45, 0x46, 0xb7, 0xc5, 0x2a]);
                let code = if random.once_in(3) { random.magnitude(9) as u16 } else { code };
                Action::Key { code, down }
            }
            2 => Action::Mouse { x: count(random), y: count(random) },
            _ => {
                let buttons = [
                    MouseButton::Left,
                    MouseButton::Middle,
                    MouseButton::Right,
                    MouseButton::WheelUp,
                    MouseButton::WheelDown,
                ];
                Action::MouseButton { button: *random.pick(&buttons), down }
            }
        }
    }

    /// A state that was saved, spoilt; if there is none, it has to be saved first.
    fn load(&mut self) -> Action {
        let Some((scope, mut sections)) = self.saved.clone() else {
            return Action::Save { scope: scope(&mut self.random) };
        };
        for _ in 0..self.random.below(4) {
            spoil(&mut sections, &mut self.random);
        }
        Action::Load { scope, sections }
    }

    fn i2c(&mut self) -> Action {
        match self.random.below(8) {
            0 => Action::I2cStart { read: true },
            1 => Action::I2cStart { read: false },
            2..=4 => Action::I2cSend { byte: self.random.next() as u8 },
            5 => Action::I2cReceive,
            6 => Action::I2cNack,
            _ => Action::I2cStop,
        }
    }
}

fn scope(random: &mut Random) -> Scope {
    if random.once_in(2) { Scope::Stream } else { Scope::Whole }
}
