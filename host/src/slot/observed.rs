//! Calls that others hear of: a recorder, a second version.

use std::ops::Range;

use super::input::{Answer, Input};
use super::{Plugged, Slot};
use crate::component::{Afterwards, Asked, Effect, Effects, Recorded, SlotId, Told};

/// A call, as those hear of it who are told.
pub(super) struct Done<'a> {
    /// The time of the call.
    pub(super) time: u64,
    pub(super) input: &'a Input<'a>,
    /// None if the device has failed.
    pub(super) answer: Option<Answer>,
    /// What the device asked meanwhile, and was answered.
    pub(super) tape: Vec<Told>,
}

impl Slot {
    /// One call of which others hear, if there are any.
    pub(super) fn perform(
        &self,
        plugged: &mut Plugged,
        input: &Input<'_>,
        effects: &mut Effects,
    ) -> Option<Answer> {
        if plugged.companion.is_none() && plugged.recorder.is_none() {
            return self.call_in(plugged, effects, |device, now| input.perform(device, now));
        }
        self.perform_observed(plugged, input, effects)
    }

    // Not cold: where there is a shadow, it is each access.
    #[inline(never)]
    fn perform_observed(
        &self,
        plugged: &mut Plugged,
        input: &Input<'_>,
        effects: &mut Effects,
    ) -> Option<Answer> {
        self.begin_segment(plugged, effects);
        let was_in_service = plugged.instance.is_some();
        let before = effects.len();
        let mut done = Done { time: 0, input, answer: None, tape: Vec::new() };
        done.answer = self.call_in(plugged, effects, |device, now| {
            // What a save has asked is nobody's business.
            drop(device.take_tape());
            let answer = input.perform(device, now);
            (done.time, done.tape) = (now, device.take_tape());
            answer
        });
        if !was_in_service {
            return None;
        }
        let since = before..effects.len();
        if let Some(recorder) = &mut plugged.recorder {
            let fault = plugged.fault.as_ref().filter(|_| done.answer.is_none());
            recorder.note(&done, own(effects, &since, self.id()), fault);
        }
        match plugged.companion.take() {
            Some(companion) => self.accompany(plugged, companion, done, effects, since),
            None => done.answer,
        }
    }
}

impl Slot {
    /// Answers the device from a tape, and from the world when that has ended, until
    /// [`end_tape`](Self::end_tape).
    pub(crate) fn play_tape(&self, tape: Vec<Told>) {
        if let Some(instance) = &mut self.lock().instance {
            instance.play_tape(tape, Afterwards::World);
        }
    }

    /// Answers the device from the world again. Says in what it has not asked what is in
    /// the tape.
    pub(crate) fn end_tape(&self) -> Option<Asked> {
        self.lock().instance.as_mut()?.end_tape()
    }
}

/// A device's own effects; the others are those of the devices on its buses.
pub(super) fn own<'a>(
    effects: &'a [Recorded],
    since: &Range<usize>,
    slot: SlotId,
) -> impl Iterator<Item = &'a Effect> + Clone {
    let own = effects[since.clone()].iter().filter(move |recorded| recorded.slot == slot);
    own.map(|recorded| &recorded.effect)
}

impl Plugged {
    /// Has the device keep what it is answered, if anybody wants to know.
    pub(super) fn listen(&mut self) {
        let wanted = self.companion.is_some() || self.recorder.is_some();
        if let Some(instance) = &mut self.instance {
            instance.keep_tape(wanted);
        }
    }
}
