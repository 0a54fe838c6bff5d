//! What a device drives at the moment: the sum of its effects.

use super::{Description, Direction, Effect, Mode};

/// The levels, mappings, deadlines and modes a device has set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outputs {
    /// The level of each line; an input's is false and never changes.
    pub lines: Vec<bool>,
    /// Address and priority of each mapped region.
    pub regions: Vec<Option<(u64, u8)>>,
    /// The deadline of each armed timer.
    pub timers: Vec<Option<u64>>,
    /// The mode of each RAM window.
    pub windows: Vec<Mode>,
    /// Which lines are outputs.
    outputs: Vec<bool>,
    /// Which regions can be mapped: all but a configuration space.
    mappable: Vec<bool>,
    /// How many streams there are.
    streams: usize,
    /// How many drives there are.
    drives: usize,
}

impl Outputs {
    /// What a device drives that has done nothing yet.
    #[must_use]
    pub fn new(description: &Description) -> Self {
        let is_output = |line: &super::Line| line.direction == Direction::Output;
        let is_mappable = |region: &super::Region| region.space != super::Space::Configuration;
        Self {
            lines: vec![false; description.lines.len()],
            regions: vec![None; description.regions.len()],
            timers: vec![None; description.timers.len()],
            windows: vec![Mode::Bus; description.windows.len()],
            outputs: description.lines.iter().map(is_output).collect(),
            mappable: description.regions.iter().map(is_mappable).collect(),
            streams: description.streams.len(),
            drives: description.drives.len(),
        }
    }

    /// Takes an effect over. Returns whether anything comes of it; none if it
    /// names something the device did not declare.
    pub(super) fn take(&mut self, effect: &Effect) -> Option<bool> {
        let at = |index: u32| index as usize;
        Some(match *effect {
            Effect::Line { line, level } => {
                let declared = *self.outputs.get(at(line))?;
                *self.lines.get_mut(at(line)).filter(|_| declared)? = level;
                true
            }
            Effect::Release { line } => std::mem::take(self.lines.get_mut(at(line))?),
            Effect::Map { region, base, priority } => {
                let new = Some((base, priority));
                let mappable = *self.mappable.get(at(region))?;
                let known = self.regions.get_mut(at(region)).filter(|_| mappable)?;
                std::mem::replace(known, new) != new
            }
            Effect::Unmap { region } => self.regions.get_mut(at(region))?.take().is_some(),
            Effect::Arm { timer, deadline } => {
                *self.timers.get_mut(at(timer))? = Some(deadline);
                true
            }
            Effect::Disarm { timer } => self.timers.get_mut(at(timer))?.take().is_some(),
            Effect::Window { window, mode } => {
                std::mem::replace(self.windows.get_mut(at(window))?, mode) != mode
            }
            Effect::Put { stream, .. } | Effect::Ready { stream } => {
                (at(stream) < self.streams).then_some(true)?
            }
            Effect::Drive { drive, .. }
            | Effect::Tray { drive, .. }
            | Effect::Lock { drive, .. } => (at(drive) < self.drives).then_some(true)?,
            Effect::Power(_)
            | Effect::Exit { .. }
            | Effect::EnableWakeup { .. }
            | Effect::Wake(_)
            | Effect::DmaWrite { .. }
            | Effect::Message { .. }
            | Effect::CopyFile { .. }
            | Effect::Faulted { .. } => true,
        })
    }

    /// A timer has expired.
    pub(super) fn expired(&mut self, timer: u32) {
        if let Some(deadline) = self.timers.get_mut(timer as usize) {
            *deadline = None;
        }
    }

    /// The effects that lead from these outputs to others of the same shape.
    pub fn difference(&self, new: &Self) -> impl Iterator<Item = Effect> {
        let mut effects = Vec::new();
        for (line, (old, new)) in (0..).zip(self.lines.iter().zip(&new.lines)) {
            if old != new {
                effects.push(Effect::Line { line, level: *new });
            }
        }
        for (region, (old, new)) in (0..).zip(self.regions.iter().zip(&new.regions)) {
            match *new {
                _ if old == new => {}
                Some((base, priority)) => effects.push(Effect::Map { region, base, priority }),
                None => effects.push(Effect::Unmap { region }),
            }
        }
        for (timer, (old, new)) in (0..).zip(self.timers.iter().zip(&new.timers)) {
            match *new {
                _ if old == new => {}
                Some(deadline) => effects.push(Effect::Arm { timer, deadline }),
                None => effects.push(Effect::Disarm { timer }),
            }
        }
        for (window, (old, new)) in (0..).zip(self.windows.iter().zip(&new.windows)) {
            if old != new {
                effects.push(Effect::Window { window, mode: *new });
            }
        }
        effects.into_iter()
    }

    /// The effects that release every output line and disarm every timer, whatever
    /// they are now.
    pub fn released(&self) -> impl Iterator<Item = Effect> {
        let outputs = (0..).zip(&self.outputs).filter(|(_, is_output)| **is_output);
        let released = outputs.map(|(line, _)| Effect::Release { line });
        let disarmed = (0..).zip(&self.timers).map(|(timer, _)| Effect::Disarm { timer });
        released.chain(disarmed)
    }

    /// What a device drives that is out of service: its lines are low and its
    /// timers disarmed, but its regions stay where they are and read as ones,
    /// and RAM windows keep their modes so that the guest keeps its memory.
    #[must_use]
    pub fn out_of_service(&self) -> Self {
        Self {
            lines: vec![false; self.lines.len()],
            timers: vec![None; self.timers.len()],
            ..self.clone()
        }
    }
}
