//! A second version of a device that sees what the device sees: before a swap, to
//! compare the two (a shadow), or after it, to step in if the new one fails (a guard).
//!
//! Both need devices that can be two: a companion's effects are dropped, so a device
//! that carries buses, whose devices it would call, or that has memory of its own, which
//! the guest writes too, has none.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::input::{Answer, Input};
use super::swap::{LONGEST_WAIT, hand_over, same_shape};
use super::{Plugged, Slot, SwapError};
use crate::component::{
    Description, Effect, Effects, Fault, Image, Instance, Recorded, Scope, SlotId, StateDescription,
};

/// How many calls before a difference are told.
const HISTORY: usize = 32;

/// A second version.
pub(super) struct Companion {
    image: Image,
    state: Arc<StateDescription>,
    instance: Instance,
    purpose: Purpose,
    /// The effects of its last call.
    effects: Effects,
}

enum Purpose {
    /// It may take the device's place, if it does the same.
    Shadow { left: u64, history: History },
    /// It was in the device's place, and is back there if the device fails before then.
    Guard { until: Instant },
}

/// A shadow, what is known of it and what has become of it.
pub(super) struct Trial {
    image: Image,
    wanted: u64,
    accesses: u64,
    calls: u64,
    verdict: Verdict,
}

/// What has become of a shadow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has agreed so far.
    Running,
    /// It has agreed in all accesses that were wanted.
    Agreed,
    /// It has not.
    Differed(Difference),
    /// It ended for another reason.
    Ended(&'static str),
}

/// The first call in which two versions differed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The machine's clock, in nanoseconds.
    pub time: u64,
    /// The call.
    pub input: String,
    /// What the device in the slot did.
    pub expected: String,
    /// What the shadow did.
    pub found: String,
    /// The calls before, with what both answered, the oldest first.
    pub history: Vec<String>,
}

/// What is known of a shadow.
#[derive(Clone, Debug)]
pub struct ShadowStatus {
    /// The version that runs beside the device, or did.
    pub image: Image,
    /// How many accesses of the guest were to agree.
    pub wanted: u64,
    /// How many have agreed.
    pub accesses: u64,
    /// How many calls of any kind have.
    pub calls: u64,
    /// What has become of it.
    pub verdict: Verdict,
}

/// The last calls.
struct History(VecDeque<(u64, Input<'static>, Answer)>);

impl History {
    fn push(&mut self, time: u64, input: &Input<'_>, answer: Answer) {
        if self.0.len() == HISTORY {
            self.0.pop_front();
        }
        self.0.push_back((time, input.keep(), answer));
    }

    fn lines(&self) -> Vec<String> {
        let line = |(time, input, answer): &(u64, Input<'_>, Answer)| match answer {
            Answer::Nothing => format!("{time}: {input}"),
            answer => format!("{time}: {input} -> {answer}"),
        };
        self.0.iter().map(line).collect()
    }
}

impl Slot {
    /// Has another version run beside the device from now on, with the device's state,
    /// until `accesses` of the guest's have had the same answers and effects, or
    /// something has not. The guest sees the device alone. A shadow that there is ends.
    ///
    /// # Errors
    /// The version cannot take the device's place, or the device cannot have a shadow.
    pub fn shadow(&self, image: &Image, accesses: u64) -> Result<(), SwapError> {
        let (mut new, state) = self.prepare(image)?;
        can_be_two(image.description())?;
        let (mut plugged, requests) = self.lock_idle(LONGEST_WAIT);
        if requests != 0 {
            return Err(SwapError::Busy(requests));
        }
        let Plugged { image: plugged_image, instance, state: old_state, .. } = &mut *plugged;
        same_shape(plugged_image.description(), image.description())?;
        let old = instance.as_mut().ok_or(SwapError::NothingToShadow)?;
        let now = self.clock.now();
        let saved = old.save(Scope::Whole, now).map_err(SwapError::OldFaulted)?;
        hand_over(old_state, saved, &mut new, &state, now)?;
        if new.outputs() != old.outputs() || !new.take_over().is_empty() {
            return Err(SwapError::OtherOutputs);
        }
        plugged.trial = Some(Trial {
            image: image.clone(),
            wanted: accesses,
            accesses: 0,
            calls: 0,
            verdict: Verdict::Running,
        });
        let history = History(VecDeque::with_capacity(HISTORY));
        let purpose = Purpose::Shadow { left: accesses, history };
        plugged.companion = Some(Companion::new(image.clone(), state, new, purpose));
        Ok(())
    }

    /// What is known of the slot's shadow; none if there was none since the last swap.
    #[must_use]
    pub fn shadow_status(&self) -> Option<ShadowStatus> {
        let plugged = self.lock();
        plugged.trial.as_ref().map(|trial| ShadowStatus {
            image: trial.image.clone(),
            wanted: trial.wanted,
            accesses: trial.accesses,
            calls: trial.calls,
            verdict: trial.verdict.clone(),
        })
    }

    /// The version that is to be committed: the shadow that has agreed.
    ///
    /// # Errors
    /// There is none, or it has not.
    pub fn agreed_shadow(&self) -> Result<Image, SwapError> {
        let status = self.shadow_status().ok_or(SwapError::NoShadow)?;
        match status.verdict {
            Verdict::Agreed => Ok(status.image),
            Verdict::Running => {
                Err(SwapError::ShadowRuns { accesses: status.accesses, wanted: status.wanted })
            }
            Verdict::Differed(_) => Err(SwapError::ShadowDiffered),
            Verdict::Ended(why) => Err(SwapError::ShadowEnded(why)),
        }
    }

    /// Ends the slot's shadow. Returns whether there was one.
    pub fn end_shadow(&self) -> bool {
        let mut plugged = self.lock();
        let had = plugged.trial.take().is_some();
        if matches!(&plugged.companion, Some(companion) if companion.is_shadow()) {
            plugged.companion = None;
        }
        had
    }

    /// One call, of which a companion hears too.
    pub(super) fn perform(
        &self,
        plugged: &mut Plugged,
        input: &Input<'_>,
        effects: &mut Effects,
    ) -> Option<Answer> {
        let (before, mut now) = (effects.len(), 0);
        let answer = self.call_in(plugged, effects, |device, time| {
            now = time;
            input.perform(device, time)
        });
        if plugged.companion.is_none() {
            return answer;
        }
        self.accompany(plugged, input, now, answer, effects, before)
    }

    /// Does to the companion what was done to the device, and what follows from it.
    #[cold]
    fn accompany(
        &self,
        plugged: &mut Plugged,
        input: &Input<'_>,
        now: u64,
        answer: Option<Answer>,
        effects: &mut Effects,
        before: usize,
    ) -> Option<Answer> {
        let mut companion = plugged.companion.take()?;
        let Some(answer) = answer else {
            return self.device_failed(plugged, companion, input, now, effects, before);
        };
        let done = Done { answer, effects: &effects[before..], slot: self.id() };
        let other = companion.perform(input, now);
        let goes_on = match &mut plugged.trial {
            Some(trial) if companion.is_shadow() => {
                trial.verdict = companion.judge(trial, input, now, &done, other);
                trial.verdict == Verdict::Running
            }
            // A guard that fails guards no more.
            _ => other.is_ok() && !companion.is_over(),
        };
        plugged.companion = goes_on.then_some(companion);
        Some(done.answer)
    }

    /// The device has failed. A guard takes its place and answers; to the guest nothing
    /// has happened.
    fn device_failed(
        &self,
        plugged: &mut Plugged,
        mut guard: Companion,
        input: &Input<'_>,
        now: u64,
        effects: &mut Effects,
        before: usize,
    ) -> Option<Answer> {
        if guard.is_shadow() {
            if let Some(trial) = &mut plugged.trial {
                trial.verdict = Verdict::Ended("the device in the slot has failed");
            }
            return None;
        }
        if guard.is_over() || plugged.instance.is_some() {
            return None;
        }
        let answer = guard.perform(input, now).ok()?;
        let Companion { image, state, instance, effects: recorded, .. } = guard;
        plugged.faults.rolled_back(image.title());
        // What the guard drives too was never released.
        let outputs = instance.outputs();
        let stays = |effect: &Effect| match *effect {
            Effect::Release { line } => outputs.lines.get(line as usize) == Some(&true),
            Effect::Disarm { timer } => outputs.timers.get(timer as usize) != Some(&None),
            _ => false,
        };
        let id = self.id();
        let mut at = 0;
        effects.retain(|recorded| {
            at += 1;
            at <= before || recorded.slot != id || !stays(&recorded.effect)
        });
        self.put(plugged, instance, state, effects);
        let (_, mut sequence) = plugged.driven();
        let others = effects.len();
        for Recorded { effect, .. } in recorded.into_iter().filter(|it| !it.effect.is_output()) {
            sequence += 1;
            effects.push(Recorded { slot: id, sequence, effect });
        }
        plugged.count_requests(id, effects, others);
        if let Some(instance) = &mut plugged.instance {
            instance.count_from(sequence);
        }
        plugged.counts.restores += 1;
        plugged.image = image;
        plugged.previous = None;
        Some(answer)
    }
}

impl Plugged {
    /// The device becomes another, or another state's.
    pub(super) fn part_from_companion(&mut self) {
        self.companion = None;
        if let Some(trial) = &mut self.trial
            && trial.verdict == Verdict::Running
        {
            trial.verdict = Verdict::Ended("the device was replaced, or its state was");
        }
    }
}

impl Companion {
    const fn new(
        image: Image,
        state: Arc<StateDescription>,
        instance: Instance,
        purpose: Purpose,
    ) -> Self {
        Self { image, state, instance, purpose, effects: Effects::new() }
    }

    /// A version that was in the device's place, and is back there if the device fails
    /// within `time`.
    pub(super) fn guard(
        image: Image,
        state: Arc<StateDescription>,
        instance: Instance,
        time: Duration,
    ) -> Self {
        Self::new(image, state, instance, Purpose::Guard { until: Instant::now() + time })
    }

    const fn is_shadow(&self) -> bool {
        matches!(self.purpose, Purpose::Shadow { .. })
    }

    fn is_over(&self) -> bool {
        match self.purpose {
            Purpose::Shadow { left, .. } => left == 0,
            Purpose::Guard { until } => Instant::now() >= until,
        }
    }

    fn perform(&mut self, input: &Input<'_>, now: u64) -> Result<Answer, Fault> {
        self.effects.clear();
        let answer = input.perform(&mut self.instance, now);
        self.instance.take_effects(&mut self.effects);
        answer
    }

    /// Compares what both have done.
    fn judge(
        &mut self,
        trial: &mut Trial,
        input: &Input<'_>,
        time: u64,
        done: &Done<'_>,
        other: Result<Answer, Fault>,
    ) -> Verdict {
        let Purpose::Shadow { left, history } = &mut self.purpose else { return Verdict::Running };
        let own = self.effects.iter().map(|recorded| &recorded.effect);
        let found = match other {
            Ok(other) if other == done.answer && own.clone().eq(done.own()) => {
                trial.calls += 1;
                history.push(time, input, other);
                if input.is_access() {
                    trial.accesses += 1;
                    *left = left.saturating_sub(1);
                }
                return if *left == 0 { Verdict::Agreed } else { Verdict::Running };
            }
            Ok(other) => told(&other, own),
            Err(fault) => fault.to_string(),
        };
        Verdict::Differed(Difference {
            time,
            input: input.to_string(),
            expected: told(&done.answer, done.own()),
            found,
            history: history.lines(),
        })
    }
}

/// What a device has done in a call.
struct Done<'a> {
    answer: Answer,
    /// With those of the devices on its buses.
    effects: &'a [Recorded],
    slot: SlotId,
}

impl Done<'_> {
    /// The device's own effects.
    fn own(&self) -> impl Iterator<Item = &Effect> {
        let own = self.effects.iter().filter(|recorded| recorded.slot == self.slot);
        own.map(|recorded| &recorded.effect)
    }
}

/// An answer and effects, for people.
fn told<'a>(answer: &Answer, effects: impl Iterator<Item = &'a Effect>) -> String {
    let effects = effects.collect::<Vec<_>>();
    match &effects[..] {
        [] => format!("answers {answer}"),
        effects => format!("answers {answer}, and {effects:?}"),
    }
}

/// Refuses a device of which there cannot be two.
pub(super) fn can_be_two(description: &Description) -> Result<(), SwapError> {
    if !description.buses.is_empty() {
        return Err(SwapError::NotTwo("carries a bus, whose devices both would reach"));
    }
    if !description.memories.is_empty() {
        return Err(SwapError::NotTwo("has memory of its own, which the guest reaches"));
    }
    Ok(())
}
