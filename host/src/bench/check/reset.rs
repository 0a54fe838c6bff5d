//! A reset leaves nothing for another one to do.

use super::{Bench, Law, sprinkle};
use crate::bench::action::Action;
use crate::bench::random::Random;
use crate::bench::rig::Subject;
use crate::slot::compare_states;

pub(super) struct Reset;

impl Law for Reset {
    fn name(&self) -> &'static str {
        "reset"
    }

    fn says(&self) -> &'static str {
        "A second reset at the same time changes nothing"
    }

    fn weave(&self, actions: Vec<Action>, random: &mut Random) -> Vec<Action> {
        sprinkle(actions, random, || Action::Reset)
    }

    fn judge(&self, subject: &Subject, actions: &[Action]) -> Result<(), String> {
        let mut bench = Bench::new(subject)?;
        for action in actions {
            let failed = bench.rig.perform(action).fault().is_some();
            if failed {
                break;
            }
            let Action::Reset = action else { continue };
            let (state, outputs) = (bench.state(), bench.rig.outputs());
            if bench.rig.perform(action).fault().is_some() {
                break;
            }
            let (described, again) = (bench.rig.state_description(), bench.state());
            compare_states(&described, &state, &described, &again)
                .map_err(|reason| format!("after a second reset {reason}"))?;
            if let Some(effect) = outputs.difference(&bench.rig.outputs()).next() {
                return Err(format!("a second reset does more than the first: {effect:?}"));
            }
        }
        Ok(())
    }
}
