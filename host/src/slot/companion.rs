//! A second version of a device that sees what the device sees: before a swap, to
//! compare the two (a shadow), or after it, to step in if the new one fails (a guard).
//!
//! A companion's effects are dropped, and what it asks of the devices on its buses or of
//! the guest's memory is answered as it was answered to the device. A device that has
//! memory of its own, which the guest writes too, has none.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::input::{Answer, Input};
use super::observed::{Done, own};
use super::swap::{Candidate, LONGEST_WAIT, hand_over};
use super::{Plugged, Slot, SwapError};
use crate::component::{
    Afterwards, Asked, Description, Effect, Effects, Fault, Image, Instance, Recorded,
    StateDescription, Told,
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
    /// The version cannot take the device's place, or the device cannot have a shadow. One
    /// that fails when it is saved is out of service then.
    pub fn shadow(
        &self,
        image: &Image,
        accesses: u64,
        effects: &mut Effects,
    ) -> Result<(), SwapError> {
        let candidate = self.prepare(image)?;
        can_be_two(image.description())?;
        let (mut plugged, requests) = self.lock_idle(LONGEST_WAIT);
        if requests != 0 {
            return Err(SwapError::Busy(requests));
        }
        candidate.check(&plugged.image)?;
        let Candidate { instance: mut new, state, .. } = candidate;
        let now = self.clock.now();
        let saved = self.save_whole(&mut plugged, now, effects).map_err(SwapError::OldFaulted)?;
        let Plugged { instance, state: old_state, .. } = &mut *plugged;
        let (Some(old), Some(saved)) = (instance, saved) else {
            return Err(SwapError::NothingToShadow);
        };
        hand_over(old_state, &saved, &mut new, &state, now)?;
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
        plugged.companion = Some(Companion::new(image.clone(), state, new, purpose).into());
        plugged.listen();
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
            plugged.listen();
        }
        had
    }

    /// Does to the companion what was done to the device, and what follows from it.
    pub(super) fn accompany(
        &self,
        plugged: &mut Plugged,
        mut companion: Box<Companion>,
        mut done: Done<'_>,
        effects: &mut Effects,
        since: Range<usize>,
    ) -> Option<Answer> {
        let Some(answer) = done.answer.take() else {
            return self.device_failed(plugged, companion, &done, effects, since);
        };
        let tape = std::mem::take(&mut done.tape);
        let other = companion.perform(&done, tape, Afterwards::Nobody);
        let goes_on = match &mut plugged.trial {
            Some(trial) if companion.is_shadow() => {
                let did = Did { answer: &answer, effects: own(effects, &since, self.id()) };
                trial.verdict = companion.judge(trial, &done, did, other);
                trial.verdict == Verdict::Running
            }
            // A guard that fails guards no more.
            _ => other.is_ok() && !companion.is_over(),
        };
        if goes_on {
            plugged.companion = Some(companion);
        } else {
            plugged.listen();
        }
        Some(answer)
    }

    /// The device has failed. A guard takes its place and answers; to the guest nothing
    /// has happened.
    fn device_failed(
        &self,
        plugged: &mut Plugged,
        mut guard: Box<Companion>,
        done: &Done<'_>,
        effects: &mut Effects,
        since: Range<usize>,
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
        // What the device had asked when it failed has happened; the guard goes on.
        let (answer, _) = guard.perform(done, done.tape.clone(), Afterwards::World).ok()?;
        let Companion { image, state, instance, effects: recorded, .. } = *guard;
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
            at <= since.start || recorded.slot != id || !stays(&recorded.effect)
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
    pub(super) fn part_from_observers(&mut self) {
        self.companion = None;
        if let Some(recorder) = &mut self.recorder {
            recorder.forget();
        }
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

    /// Does to it what was done to the device, and answers it what the device was.
    fn perform(
        &mut self,
        done: &Done<'_>,
        tape: Vec<Told>,
        then: Afterwards,
    ) -> Result<(Answer, Option<Asked>), Fault> {
        self.effects.clear();
        self.instance.play_tape(tape, then);
        let answer = done.input.perform(&mut self.instance, done.time);
        let asked = self.instance.end_tape();
        self.instance.take_effects(&mut self.effects);
        Ok((answer?, asked))
    }

    /// Compares what both have done.
    fn judge<'a>(
        &mut self,
        trial: &mut Trial,
        done: &Done<'_>,
        did: Did<'a, impl Iterator<Item = &'a Effect> + Clone>,
        other: Result<(Answer, Option<Asked>), Fault>,
    ) -> Verdict {
        let Purpose::Shadow { left, history } = &mut self.purpose else { return Verdict::Running };
        let Done { time, input, .. } = *done;
        let own = self.effects.iter().map(|recorded| &recorded.effect);
        let found = match other {
            Ok((_, Some(asked))) => asked.to_string(),
            Ok((other, None)) if other == *did.answer && own.clone().eq(did.effects.clone()) => {
                trial.calls += 1;
                history.push(time, input, other);
                if input.is_access() {
                    trial.accesses += 1;
                    *left = left.saturating_sub(1);
                }
                return if *left == 0 { Verdict::Agreed } else { Verdict::Running };
            }
            Ok((other, None)) => told(&other, own),
            Err(fault) => fault.to_string(),
        };
        Verdict::Differed(Difference {
            time,
            input: input.to_string(),
            expected: told(did.answer, did.effects),
            found,
            history: history.lines(),
        })
    }
}

/// What the device in the slot has done in a call.
struct Did<'a, E> {
    answer: &'a Answer,
    effects: E,
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
    if !description.memories.is_empty() {
        return Err(SwapError::NotTwo("has memory of its own, which the guest reaches"));
    }
    Ok(())
}
