//! The same happens to a device twice, and the same comes of it.

use super::{Bench, Law, differs, sprinkle};
use crate::bench::action::Action;
use crate::bench::outcome::Answer;
use crate::bench::random::Random;
use crate::bench::record::print_action;
use crate::bench::rig::Subject;
use crate::slot::compare_states;

pub(super) struct Replay;

impl Law for Replay {
    fn name(&self) -> &'static str {
        "replay"
    }

    fn says(&self) -> &'static str {
        "The same comes of the same, also in a fresh instance that took over the whole state"
    }

    fn weave(&self, actions: Vec<Action>, random: &mut Random) -> Vec<Action> {
        sprinkle(actions, random, || Action::Exchange)
    }

    fn judge(&self, subject: &Subject, actions: &[Action]) -> Result<(), String> {
        let same: Vec<_> = actions.iter().map(kept).collect();
        compare(subject, &same, &same, "the second time")?;
        compare(subject, actions, &same, "after an exchange")
    }
}

/// What happens to a device that stays, at the time when another one is exchanged.
fn kept(action: &Action) -> Action {
    if matches!(action, Action::Exchange) { Action::Settle } else { action.clone() }
}

fn compare(
    subject: &Subject,
    actions: &[Action],
    same: &[Action],
    when: &str,
) -> Result<(), String> {
    let (mut one, mut other) = (Bench::new(subject)?, Bench::new(subject)?);
    let of = subject.image.description();
    for (action, same) in actions.iter().zip(same) {
        let (found, expected) = (one.rig.perform(action), other.rig.perform(same));
        if let (Action::Exchange, Answer::Refused(reason)) = (action, &found.answer) {
            return Err(format!("cannot be exchanged: {reason}"));
        }
        if found != expected {
            let what = format!("{:?} {when}", print_action(action, of));
            return Err(differs(&what, &found, &expected, of));
        }
        if found.fault().is_some() {
            return Ok(());
        }
    }
    let described = one.rig.state_description();
    let (found, expected) = (one.state(), other.state());
    compare_states(&described, &expected, &described, &found)
        .map_err(|reason| format!("at the end, {when}, {reason}"))?;
    if !one.rig.has_same_memory(&other.rig) {
        return Err(format!("at the end, {when}, its memory or the guest's differs"));
    }
    Ok(())
}
