//! What happens to a device, kept while the guest runs: the last calls, and a state
//! from which they start.

use std::collections::VecDeque;
use std::sync::Arc;

use super::input::{Answer, Input};
use super::observed::Done;
use super::{GivenProperty, Plugged, Slot};
use crate::component::{Description, Effect, Effects, Fault, Image, Interface, Section, Told};

/// Bytes after which a part of a record ends, however few calls it has.
const MOST_BYTES: usize = 16 << 20;

/// Why a device is not recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// What it does depends on more than what is done to it.
    #[error("the device {0}: a record would not say what is in there")]
    NotAlone(&'static str),
    /// A record has calls.
    #[error("a record of at least one call expected")]
    NoCalls,
    /// There is nothing to show.
    #[error("the device is not recorded")]
    NotRecorded,
    /// There is nothing to show yet.
    #[error("nothing has happened to the device since recording began")]
    Empty,
}

/// Keeps the last calls. They are kept in two parts, each with the state before its
/// first call: when the second is full, the first goes.
pub(super) struct Recorder {
    most: usize,
    parts: VecDeque<Part>,
    /// The record that ends with the device's last fault.
    failed: Option<Recording>,
}

struct Part {
    recording: Recording,
    weight: usize,
}

/// Calls of a device, and the state before them.
#[derive(Clone)]
pub struct Recording {
    /// The version that ran.
    pub image: Image,
    /// Its properties, as far as they do not have their defaults.
    pub properties: Vec<GivenProperty>,
    /// The time before the first call, in nanoseconds.
    pub time: u64,
    /// The levels of its input lines then.
    pub inputs: Vec<bool>,
    /// Its whole state then.
    pub sections: Arc<[Section]>,
    /// The calls.
    pub(crate) calls: Vec<Call>,
}

/// A call.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) time: u64,
    pub(crate) input: Input<'static>,
    /// What the device asked meanwhile, and was answered.
    pub(crate) tape: Vec<Told>,
    pub(crate) came: Result<Answer, Fault>,
    /// The device's own effects.
    pub(crate) effects: Vec<Effect>,
}

impl Recording {
    /// How many calls it has.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.len()
    }
}

impl Slot {
    /// Keeps the last calls of the device from now on, at least `calls` of them once so
    /// many have been made, and at most twice as many. What was recorded before goes.
    ///
    /// # Errors
    /// A record would not say all that the device can know.
    pub fn record(&self, calls: usize) -> Result<(), RecordError> {
        let mut plugged = self.lock();
        can_be_recorded(&plugged.image)?;
        if calls == 0 {
            return Err(RecordError::NoCalls);
        }
        plugged.recorder = Some(Recorder { most: calls, parts: VecDeque::new(), failed: None });
        plugged.listen();
        Ok(())
    }

    /// Keeps no calls any more. Returns whether it did.
    pub fn end_record(&self) -> bool {
        let mut plugged = self.lock();
        let had = plugged.recorder.take().is_some();
        plugged.listen();
        had
    }

    /// The calls that are kept; those up to the last fault if the device has failed.
    ///
    /// # Errors
    /// None are.
    pub fn recording(&self) -> Result<Recording, RecordError> {
        let plugged = self.lock();
        let recorder = plugged.recorder.as_ref().ok_or(RecordError::NotRecorded)?;
        recorder.failed.clone().or_else(|| recorder.whole()).ok_or(RecordError::Empty)
    }

    /// Begins a part of the record, if it is time to: with the state before the call
    /// that comes. A device that fails at that is out of service.
    pub(super) fn begin_segment(&self, plugged: &mut Plugged, effects: &mut Effects) {
        let begins = plugged.recorder.as_ref().is_some_and(Recorder::is_to_begin);
        if !begins {
            return;
        }
        let now = self.clock.now();
        let Ok(Some(sections)) = self.save_whole(plugged, now, effects) else { return };
        plugged.take_effects(effects);
        let recording = Recording {
            image: plugged.image.clone(),
            properties: self.setting.properties.clone(),
            time: now,
            inputs: plugged.inputs.clone(),
            sections: sections.into(),
            calls: Vec::new(),
        };
        if let Some(recorder) = &mut plugged.recorder {
            recorder.begin(recording);
        }
    }
}

impl Recorder {
    fn is_to_begin(&self) -> bool {
        self.parts
            .back()
            .is_none_or(|part| part.recording.calls.len() >= self.most || part.weight >= MOST_BYTES)
    }

    fn begin(&mut self, recording: Recording) {
        if self.parts.len() > 1 {
            self.parts.pop_front();
        }
        let weight = recording.sections.iter().map(|section| section.data.len()).sum();
        self.parts.push_back(Part { recording, weight });
    }

    /// Notes a call.
    pub(super) fn note<'a>(
        &mut self,
        done: &Done<'_>,
        effects: impl Iterator<Item = &'a Effect>,
        fault: Option<&Fault>,
    ) {
        let Some(part) = self.parts.back_mut() else { return };
        let came = match (&done.answer, fault) {
            (Some(answer), _) => Ok(answer.clone()),
            (None, Some(fault)) => Err(fault.clone()),
            (None, None) => return,
        };
        let call = Call {
            time: done.time,
            input: done.input.keep(),
            tape: done.tape.clone(),
            came,
            effects: effects.cloned().collect(),
        };
        part.weight += call.weight();
        let failed = call.came.is_err();
        part.recording.calls.push(call);
        if failed {
            self.failed = self.whole();
        }
    }

    /// Begins anew: the device is another one, or has another state.
    pub(super) fn forget(&mut self) {
        self.parts.clear();
    }

    fn whole(&self) -> Option<Recording> {
        let mut parts = self.parts.iter();
        let mut whole = parts.next()?.recording.clone();
        whole.calls.extend(parts.flat_map(|part| part.recording.calls.iter().cloned()));
        Some(whole)
    }
}

impl Call {
    fn weight(&self) -> usize {
        let told: usize = self.tape.iter().map(Told::weight).sum();
        let done: usize =
            self.effects.iter().map(|effect| size_of::<Effect>() + effect.payload()).sum();
        let given = match &self.input {
            Input::DmaGive { data } => data.len(),
            _ => 0,
        };
        size_of::<Self>() + told + done + given
    }
}

/// Refuses a device that knows more than what is done to it and what it is answered.
fn can_be_recorded(image: &Image) -> Result<(), RecordError> {
    let Description { memories, drives, .. } = image.description();
    if !memories.is_empty() {
        return Err(RecordError::NotAlone("has memory of its own"));
    }
    if !drives.is_empty() {
        return Err(RecordError::NotAlone("has drives"));
    }
    if image.imports().contains(&Interface::Files) {
        return Err(RecordError::NotAlone("is given files"));
    }
    Ok(())
}
