//! Applies effects: the one place where what a device recorded changes the
//! machine.

use std::sync::PoisonError;

use super::wiring::Sink;
use super::{Machine, PowerEvent, WINDOW_RANGE};
use crate::bus::{AddressSpace, Mapping};
use crate::component::{
    Direction, DmaWindow, Effect, Effects, Line, Mode, Recorded, SlotId, Space,
};
use crate::slot::Slot;

impl Machine {
    /// Applies effects in order, and those they lead to, and empties the list.
    ///
    /// The wires of a machine form no cycle, so this ends.
    pub fn apply(&self, effects: &mut Effects) {
        let mut next = 0;
        while let Some(recorded) = effects.get(next) {
            next += match recorded.effect {
                // A bridge that changes several windows at once has them changed
                // at once: the processors stop only once for that.
                Effect::Window { .. } => self.apply_windows(&effects[next..]),
                _ => {
                    let (recorded, length) = (recorded.clone(), effects.len());
                    self.apply_one(recorded, effects);
                    // What it led to comes before what the device did next.
                    let more = effects.len() - length;
                    effects[next + 1..].rotate_right(more);
                    1
                }
            };
        }
        effects.clear();
    }

    fn apply_one(&self, recorded: Recorded, effects: &mut Effects) {
        let Recorded { slot, sequence, effect } = recorded;
        match effect {
            Effect::Line { line, level } => {
                self.drive(slot, sequence, line, Some(level), effects);
            }
            Effect::Release { line } => self.drive(slot, sequence, line, None, effects),
            Effect::Map { region, base, priority } => {
                self.map(slot, sequence, region, Some((base, priority)));
            }
            Effect::Unmap { region } => self.map(slot, sequence, region, None),
            Effect::Arm { timer, deadline } => self.arm(slot, sequence, timer, Some(deadline)),
            Effect::Disarm { timer } => self.arm(slot, sequence, timer, None),
            Effect::Window { .. } => {}
            Effect::Put { stream, byte } => {
                if let Some(stream) = self.stream(slot, stream) {
                    stream.put(byte);
                }
            }
            Effect::Ready { stream } => {
                if let Some(stream) = self.stream(slot, stream) {
                    stream.ready();
                }
            }
            Effect::Power(request) => (self.power)(PowerEvent::Asked(request)),
            Effect::Exit { status } => (self.power)(PowerEvent::Exit(status)),
            Effect::EnableWakeup { reason, enabled } => self.wakeups.enable(reason, enabled),
            Effect::Wake(reason) => {
                if self.wakeups.is_enabled(reason) {
                    (self.power)(PowerEvent::Wake(reason));
                }
            }
            Effect::DmaWrite { address, data } => {
                if let Some(slot) = self.by_id(slot) {
                    slot.ram().write(address, &data);
                }
            }
            Effect::Message { address, data } => {
                let range = DmaWindow::new(address, MESSAGE);
                if self
                    .by_id(slot)
                    .zip(range)
                    .is_some_and(|(slot, range)| slot.ram().reaches(range))
                {
                    self.board.send_message(address, data);
                }
            }
            Effect::CopyFile { file, offset, address, length } => {
                if let Some(slot) = self.by_id(slot) {
                    copy_file(slot, file, offset, address, length);
                }
            }
            Effect::Drive { drive, tag, request } => {
                self.request(slot, drive, tag, request, effects);
            }
            Effect::Tray { drive, open } => self.tray(slot, drive, open),
            Effect::Lock { drive, locked } => self.lock_medium(slot, drive, locked),
            Effect::Faulted { number } => self.faulted(slot, number),
        }
    }

    /// Drives an output; with no level it goes low if it is high.
    fn drive(
        &self,
        slot: SlotId,
        sequence: u64,
        line: u32,
        level: Option<bool>,
        effects: &mut Effects,
    ) {
        let Some(driven) = self.driven.get(slot.0 as usize) else { return };
        let mut driven = driven.lock();
        let Some(applied) = driven.lines.get_mut(line as usize) else { return };
        let was_high = applied.value;
        if !applied.is_news(sequence) || level.is_none() && !was_high {
            return;
        }
        applied.value = level.unwrap_or(false);
        for sink in self.wires.of(slot, line) {
            self.tell(sink, applied.value, effects);
        }
    }

    /// Drives an input line of a device, as one more output that is wired to it would.
    /// Nothing comes of it if there is no such line.
    pub fn set_input(&self, slot: &str, line: &str, level: bool, effects: &mut Effects) {
        let Some(slot) = self.slots.iter().find(|known| &**known.name() == slot) else { return };
        let image = slot.image();
        let is_it = |known: &Line| known.name == line && known.direction == Direction::Input;
        if let Some(number) = image.description().lines.iter().position(is_it) {
            self.tell(&self.wires.input_of(slot.id(), number as u32), level, effects);
            self.apply(effects);
        }
    }

    /// Tells the end of a wire its level.
    pub(super) fn tell(&self, sink: &Sink, level: bool, effects: &mut Effects) {
        match sink {
            Sink::Input { slot, line, told, follows } => {
                let mut told = told.lock();
                let changes = told.replace(level) != Some(level);
                if (changes || !follows)
                    && self.wires.is_heard(*follows)
                    && let Some(slot) = self.by_id(*slot)
                {
                    slot.line_changed(*line, level, effects);
                }
            }
            Sink::Gsi { gsi, told } => {
                let mut told = told.lock();
                if told.replace(level) != Some(level) {
                    self.board.set_gsi(*gsi, level);
                }
            }
            Sink::Cpu(pin) => self.board.set_cpu_pin(*pin, level),
        }
    }

    fn map(&self, id: SlotId, sequence: u64, region: u32, place: Option<(u64, u8)>) {
        let Some(slot) = self.by_id(id) else { return };
        let image = slot.image();
        let Some(declared) = image.description().regions.get(region as usize) else { return };
        let Some(space) = self.space(declared.space) else { return };
        let Some(driven) = self.driven.get(id.0 as usize) else { return };
        let mut driven = driven.lock();
        let applied = driven.regions.get_mut(region as usize);
        if !applied.is_some_and(|applied| applied.is_news(sequence)) {
            return;
        }
        let mapping = place.and_then(|(base, priority)| {
            Mapping::new(slot, region, declared, base, priority, space.kind().last())
        });
        match mapping {
            Some(mapping) => space.map(mapping),
            None => space.unmap(slot, region),
        }
        if let Some(number) = declared.backing
            && let Some(block) = slot.block(number)
        {
            let first = self.blocks.get(id.0 as usize).copied().unwrap_or_default();
            let read_only = (image.description().memories.get(number as usize))
                .is_some_and(|block| block.read_only);
            let base = place.map(|(base, _)| base);
            self.board.map_block(first + number as usize, block, read_only, base);
        }
        if declared.space == Space::Memory {
            self.claim();
        }
    }

    /// Tells the board where devices answer in the range of RAM windows, if that
    /// has changed.
    fn claim(&self) {
        // Held until the board has been told, so that it hears of changes in
        // order.
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        let cut = |mapping: Mapping| {
            let start = mapping.base.max(WINDOW_RANGE.start);
            let end = mapping.last.saturating_add(1).min(WINDOW_RANGE.end);
            (start < end).then_some(start..end)
        };
        let now: Vec<_> = self.memory.mappings().into_iter().filter_map(cut).collect();
        if *claims != now {
            self.board.set_claims(&now);
            *claims = now;
        }
    }

    fn space(&self, space: Space) -> Option<&AddressSpace> {
        match space {
            Space::Port => Some(&self.ports),
            Space::Memory => Some(&self.memory),
            Space::Configuration => None,
        }
    }

    fn arm(&self, slot: SlotId, sequence: u64, timer: u32, deadline: Option<u64>) {
        let Some(driven) = self.driven.get(slot.0 as usize) else { return };
        let mut driven = driven.lock();
        let applied = driven.timers.get_mut(timer as usize);
        if applied.is_some_and(|applied| applied.is_news(sequence)) {
            self.timers.set(slot, timer, deadline);
        }
    }

    /// Applies the window changes at the front of `effects` that belong to one
    /// device, and returns how many there were.
    fn apply_windows(&self, effects: &[Recorded]) -> usize {
        let Some(Recorded { slot, .. }) = effects.first() else { return 0 };
        let slot = *slot;
        let change = |recorded: &Recorded| match recorded.effect {
            Effect::Window { window, mode } if recorded.slot == slot => {
                Some((window as usize, recorded.sequence, mode))
            }
            _ => None,
        };
        let changes = effects.iter().map_while(change);
        let count = changes.clone().count();
        if let (Some(driven), Some(base)) =
            (self.driven.get(slot.0 as usize), self.windows.get(slot.0 as usize))
        {
            let mut driven = driven.lock();
            let mut news: Vec<(usize, Mode)> = Vec::with_capacity(count);
            for (window, sequence, mode) in changes {
                let Some(applied) = driven.windows.get_mut(window) else { continue };
                if applied.is_news(sequence) {
                    applied.value = mode;
                    news.push((base + window, mode));
                }
            }
            self.board.set_windows(&news);
        }
        count
    }
}

/// The bytes of a message-signalled interrupt.
const MESSAGE: u64 = 4;

/// Copies a part of a file to the guest's memory, with zeros beyond its end.
fn copy_file(slot: &Slot, file: u32, offset: u64, address: u64, length: u32) {
    const ZEROS: [u8; 4096] = [0; 4096];
    let data = slot.files().get(file as usize).map(|(_, data)| &**data).unwrap_or_default();
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let part = data.get(start..).unwrap_or_default();
    let part = &part[..part.len().min(length as usize)];
    slot.ram().write(address, part);
    let mut done = part.len() as u64;
    while done < u64::from(length) {
        let zeros = ZEROS.len().min((u64::from(length) - done) as usize);
        slot.ram().write(address.wrapping_add(done), &ZEROS[..zeros]);
        done += zeros as u64;
    }
}
