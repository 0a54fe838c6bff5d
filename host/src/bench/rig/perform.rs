//! Actions, as the rig carries them out.

use access::{Rules, chunk, mask};

use super::Rig;
use crate::bench::action::Action;
use crate::bench::outcome::{Answer, Event, Outcome, Saved};
use crate::component::{Direction, Effects, Error, Failure, Fault, Frame, Refusal, Scope, Section};
use crate::slot::{LoadError, Part, Slot, SwapError};

/// The most timers that expire in one action: a device may arm one again and again
/// for a deadline that has passed.
const EXPIRIES: usize = 256;

/// The most requests that end in one action.
const COMPLETIONS: usize = 4096;

impl Rig {
    /// Has an action happen.
    pub fn perform(&mut self, action: &Action) -> Outcome {
        let mut events = Vec::new();
        let is_for_next = matches!(action, Action::Hear { .. });
        let heard = if is_for_next { Vec::new() } else { std::mem::take(&mut self.heard) };
        let answer = if heard.is_empty() {
            self.act(action, &mut events)
        } else {
            self.slot.play_tape(heard);
            let answer = self.act(action, &mut events);
            events.extend(self.slot.end_tape().map(Event::Asked));
            answer
        };
        let answer = self.fault.take().map_or(answer, Answer::Failed);
        Outcome { events, answer }
    }

    fn act(&mut self, action: &Action, events: &mut Vec<Event>) -> Answer {
        match *action {
            Action::Reset => {
                self.settle(events);
                self.inputs.fill(false);
                self.call(events, Slot::reset)
            }
            Action::Read { region, offset, size } => {
                let value = self.read(region, offset, size);
                self.apply(events);
                Answer::Value(value)
            }
            Action::Write { region, offset, size, value } => {
                self.write(region, offset, size, value);
                self.apply(events);
                Answer::Done
            }
            Action::Line { line, level } => {
                if self.turns(line, level) {
                    self.slot.line_changed(line, level, &mut self.effects);
                    self.apply(events);
                }
                Answer::Done
            }
            Action::Advance { time } => self.advance(time, events),
            Action::Pass { time } => {
                self.clock.advance_to(self.now().saturating_add(time));
                Answer::Done
            }
            Action::Expire { timer, deadline } => {
                if let Some(armed) = self.timers.get_mut(timer as usize) {
                    armed.take_if(|armed| *armed == deadline);
                }
                self.call(events, |slot, effects| slot.timer_expired(timer, deadline, effects))
            }
            Action::Hear { ref told } => {
                self.heard.push(told.clone());
                Answer::Done
            }
            Action::Ram { address, ref data } => {
                self.slot.ram().write(address, data);
                Answer::Done
            }
            Action::Block { block, offset, ref data } => {
                for (at, byte) in (offset..).zip(data) {
                    self.slot.write_block(block, at, 1, (*byte).into());
                }
                Answer::Done
            }
            Action::Medium { drive, medium } => {
                self.drives.insert(drive, medium);
                self.call(events, |slot, effects| slot.medium_changed(drive, medium, effects))
            }
            Action::Complete { failure } => {
                self.complete(failure, events);
                Answer::Done
            }
            Action::Settle => {
                self.settle(events);
                Answer::Done
            }
            Action::Receive { stream, ref data } => self.receive(stream, data, events),
            Action::Save { scope } => self.save(scope, events),
            Action::Load { scope, ref sections } => self.load(scope, sections, events),
            Action::Exchange => self.exchange(events),
            Action::I2cStart { read } => {
                self.call(events, |slot, effects| slot.i2c_start(read, effects))
            }
            Action::I2cSend { byte } => {
                self.call(events, |slot, effects| slot.i2c_send(byte, effects))
            }
            Action::I2cReceive => self.call(events, Slot::i2c_receive),
            Action::I2cNack => self.call(events, Slot::i2c_nack),
            Action::I2cStop => self.call(events, Slot::i2c_stop),
            Action::DmaTake { length } => {
                self.call(events, |slot, effects| slot.dma_take(length, effects))
            }
            Action::DmaGive { ref data } => {
                self.call(events, |slot, effects| slot.dma_give(data, effects))
            }
            Action::DmaEnd => self.call(events, Slot::dma_terminal_count),
            Action::Acknowledge => self.call(events, Slot::acknowledge),
            Action::Ended { vector } => {
                self.call(events, |slot, effects| slot.interrupt_ended(vector, effects))
            }
            Action::Key { code, down } => {
                self.call(events, |slot, effects| slot.key(code, down, effects))
            }
            Action::Mouse { x, y } => {
                self.call(events, |slot, effects| slot.mouse_moved(x, y, effects))
            }
            Action::MouseButton { button, down } => {
                self.call(events, |slot, effects| slot.mouse_button(button, down, effects))
            }
            Action::Button => self.call(events, Slot::button_pressed),
            Action::Woken { reason } => {
                self.call(events, |slot, effects| slot.woken(reason, effects))
            }
            Action::Picture => self.call(events, Slot::picture),
            Action::Text => self.call(events, Slot::screen_text),
        }
    }

    /// One call, and what it led to.
    fn call<R: Into<Answer>>(
        &mut self,
        events: &mut Vec<Event>,
        call: impl FnOnce(&Slot, &mut Effects) -> R,
    ) -> Answer {
        let answer = call(&self.slot, &mut self.effects).into();
        self.apply(events);
        answer
    }

    fn rules(&self, region: u32) -> Option<(Rules, u64)> {
        let image = self.slot.image();
        let region = image.description().regions.get(region as usize)?;
        // Where a block answers, nobody calls the device.
        region.backing.is_none().then(|| (region.rules(), region.size))
    }

    /// Reads as the bus does; what lies beyond the region's end belongs to nobody.
    fn read(&mut self, region: u32, offset: u64, size: u8) -> u64 {
        let Some((rules, end)) = self.rules(region) else { return mask(size) };
        let (mut value, mut done, mut part) = (0, 0, Part::First);
        while done < size {
            let at = offset.saturating_add(done.into());
            if at >= end {
                return value | mask(size) & !mask(done);
            }
            let width = chunk(&rules, at, (size - done).into());
            let read = access::read(&rules, at, width, |offset, width| {
                self.slot.read(region, offset, width, part.take(), &mut self.effects)
            });
            value |= read << (8 * done);
            done += width;
        }
        value
    }

    fn write(&mut self, region: u32, offset: u64, size: u8, value: u64) {
        let Some((rules, end)) = self.rules(region) else { return };
        let (mut done, mut part) = (0, Part::First);
        while done < size {
            let at = offset.saturating_add(done.into());
            if at >= end {
                return;
            }
            let width = chunk(&rules, at, (size - done).into());
            let value = value >> (8 * done) & mask(width);
            access::write(&rules, at, width, value, |offset, width, value| {
                let effects = &mut self.effects;
                self.slot.write(region, offset, width, value, part.take(), effects);
            });
            done += width;
        }
    }

    /// Whether a level is another one for an input line, which has it from now on.
    fn turns(&mut self, line: u32, level: bool) -> bool {
        let image = self.slot.image();
        let declared = image.description().lines.get(line as usize);
        let is_input = declared.is_some_and(|line| line.direction == Direction::Input);
        let known = self.inputs.get_mut(line as usize).filter(|_| is_input);
        known.is_some_and(|known| std::mem::replace(known, level) != level)
    }

    fn advance(&mut self, time: u64, events: &mut Vec<Event>) -> Answer {
        let end = self.now().saturating_add(time);
        for _ in 0..EXPIRIES {
            let due = (0..).zip(&self.timers).filter_map(|(timer, at)| at.map(|at| (at, timer)));
            let Some((deadline, timer)) = due.min().filter(|(at, _)| *at <= end) else { break };
            self.timers[timer as usize] = None;
            self.clock.advance_to(deadline);
            events.push(Event::Expired { timer });
            self.slot.timer_expired(timer, deadline, &mut self.effects);
            self.apply(events);
        }
        self.clock.advance_to(end);
        Answer::Done
    }

    /// Ends the oldest request; returns whether there was one.
    fn complete(&mut self, failure: Option<Failure>, events: &mut Vec<Event>) -> bool {
        let Some((drive, tag, outcome)) = self.drives.end(failure, self.slot.ram()) else {
            return false;
        };
        events.push(Event::Completed { drive, tag });
        self.slot.completed(drive, tag, &outcome, &mut self.effects);
        self.apply(events);
        true
    }

    fn settle(&mut self, events: &mut Vec<Event>) {
        for _ in 0..COMPLETIONS {
            if !self.complete(None, events) {
                return;
            }
        }
        let reason = format!("{COMPLETIONS} requests to drives lead to more and more of them");
        let (export, backtrace) = ("storage-events.completed", String::new());
        self.fault.get_or_insert(Fault { export, reason, backtrace });
    }

    fn receive(&mut self, stream: u32, data: &[u8], events: &mut Vec<Event>) -> Answer {
        let mut taken = 0;
        for byte in data {
            let room = self.slot.stream_room(stream, &mut self.effects);
            self.apply(events);
            if room == 0 {
                break;
            }
            self.slot.stream_receive(stream, *byte, &mut self.effects);
            self.apply(events);
            taken += 1;
        }
        Answer::Value(taken)
    }

    fn save(&mut self, scope: Scope, events: &mut Vec<Event>) -> Answer {
        self.settle(events);
        let saved = self.slot.save(scope, &mut self.effects);
        self.apply(events);
        let saved = saved.unwrap_or_default().into_iter().map(Saved::from);
        events.extend(saved.map(Event::Section));
        Answer::Done
    }

    fn load(&mut self, scope: Scope, sections: &[Section], events: &mut Vec<Event>) -> Answer {
        self.settle(events);
        match self.slot.load(scope, sections, self.now()) {
            Ok(loaded) => {
                self.slot.install(loaded, &mut self.effects);
                self.apply(events);
                self.tell_inputs(scope, events);
                Answer::Done
            }
            Err(LoadError::Refused(refusal)) => Answer::Refused(refused(&refusal)),
            Err(LoadError::Faulted(fault) | LoadError::Unusable(Error::Fault(fault))) => {
                Answer::Failed(fault)
            }
            Err(error) => Answer::Refused(error.to_string()),
        }
    }

    /// As a machine does: in a stream a device knows of no line yet, in its whole state
    /// it knows the lines as they are.
    fn tell_inputs(&mut self, scope: Scope, events: &mut Vec<Event>) {
        let high: Vec<_> =
            (0..).zip(&self.inputs).filter(|(_, level)| **level).map(|(line, _)| line).collect();
        for line in high {
            match scope {
                Scope::Stream => {
                    self.slot.line_changed(line, true, &mut self.effects);
                    self.apply(events);
                }
                Scope::Whole => self.slot.count_as_told(line, true),
            }
        }
    }

    fn exchange(&mut self, events: &mut Vec<Event>) -> Answer {
        self.settle(events);
        if self.drives.pending() != 0 {
            return Answer::Done;
        }
        let swapped = self.slot.swap(&self.slot.image(), &mut self.effects);
        self.apply(events);
        match swapped {
            Ok(_) => Answer::Done,
            Err(SwapError::NewFaulted(fault) | SwapError::OldFaulted(fault)) => {
                Answer::Failed(fault)
            }
            Err(error) => Answer::Refused(error.to_string()),
        }
    }
}

/// A refusal in one line.
fn refused(refusal: &Refusal) -> String {
    let Refusal { section, field, offset, reason } = refusal;
    match (section.is_empty(), field.is_empty()) {
        (true, _) => reason.clone(),
        (_, true) => format!("{section}: {reason}"),
        _ => format!("{section}, {field} at {offset}: {reason}"),
    }
}

impl From<()> for Answer {
    fn from((): ()) -> Self {
        Self::Done
    }
}

impl From<bool> for Answer {
    fn from(value: bool) -> Self {
        Self::Value(value.into())
    }
}

impl From<u8> for Answer {
    fn from(value: u8) -> Self {
        Self::Value(value.into())
    }
}

impl From<u32> for Answer {
    fn from(value: u32) -> Self {
        Self::Value(value.into())
    }
}

impl From<Option<u8>> for Answer {
    fn from(value: Option<u8>) -> Self {
        value.map_or(Self::Done, |value| Self::Value(value.into()))
    }
}

impl From<Vec<u8>> for Answer {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Option<Frame>> for Answer {
    fn from(frame: Option<Frame>) -> Self {
        frame.map_or(Self::Done, |frame| {
            let Frame { width, height, pixels } = frame;
            Self::Picture { width, height, pixels }
        })
    }
}

impl From<Option<Vec<String>>> for Answer {
    fn from(text: Option<Vec<String>>) -> Self {
        text.map_or(Self::Done, Self::Text)
    }
}
