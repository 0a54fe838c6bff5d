//! A device that is saved runs on as if it had not been.

use super::{Bench, Law, differs, sprinkle};
use crate::bench::action::Action;
use crate::bench::outcome::{Answer, Event, Outcome};
use crate::bench::random::Random;
use crate::bench::record::print_action;
use crate::bench::rig::Subject;
use crate::component::Scope;
use crate::slot::compare_states;

pub(super) struct Save;

impl Law for Save {
    fn name(&self) -> &'static str {
        "save"
    }

    fn says(&self) -> &'static str {
        "A device that is saved runs on as if it had not been"
    }

    fn weave(&self, actions: Vec<Action>, random: &mut Random) -> Vec<Action> {
        let stream = sprinkle(actions, random, || Action::Save { scope: Scope::Stream });
        sprinkle(stream, random, || Action::Save { scope: Scope::Whole })
    }

    fn judge(&self, subject: &Subject, actions: &[Action]) -> Result<(), String> {
        let (mut saved, mut other) = (Bench::new(subject)?, Bench::new(subject)?);
        let of = subject.image.description();
        for action in actions {
            let is_save = matches!(action, Action::Save { .. });
            let found = without_sections(saved.rig.perform(action));
            let expected = other.rig.perform(if is_save { &Action::Settle } else { action });
            if found != expected {
                let what = format!("{:?} after a save", print_action(action, of));
                return Err(differs(&what, &found, &expected, of));
            }
            if matches!(found.answer, Answer::Failed(_)) {
                return Ok(());
            }
        }
        let described = saved.rig.state_description();
        let (found, expected) = (saved.state(), other.state());
        compare_states(&described, &expected, &described, &found)
            .map_err(|reason| format!("at the end {reason} in one that was not saved"))?;
        if !saved.rig.has_same_memory(&other.rig) {
            return Err("at the end its memory is not that of one that was not saved".into());
        }
        Ok(())
    }
}

/// What a save did besides.
fn without_sections(mut outcome: Outcome) -> Outcome {
    outcome.events.retain(|event| !matches!(event, Event::Section(_)));
    outcome
}
