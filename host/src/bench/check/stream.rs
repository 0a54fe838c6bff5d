//! A device takes what it saves for a stream.

use super::{Bench, Law, sprinkle};
use crate::bench::action::Action;
use crate::bench::outcome::Answer;
use crate::bench::random::Random;
use crate::bench::rig::Subject;
use crate::component::Scope;

pub(super) struct Stream;

impl Law for Stream {
    fn name(&self) -> &'static str {
        "stream"
    }

    fn says(&self) -> &'static str {
        "A device takes what it saves for a stream"
    }

    fn weave(&self, actions: Vec<Action>, random: &mut Random) -> Vec<Action> {
        sprinkle(actions, random, || Action::Save { scope: Scope::Stream })
    }

    fn judge(&self, subject: &Subject, actions: &[Action]) -> Result<(), String> {
        let mut bench = Bench::new(subject)?;
        for action in actions {
            let outcome = bench.rig.perform(action);
            if outcome.fault().is_some() {
                break;
            }
            let Action::Save { scope: Scope::Stream } = *action else { continue };
            let load = Action::Load { scope: Scope::Stream, sections: outcome.sections() };
            match bench.rig.perform(&load).answer {
                Answer::Refused(reason) => {
                    return Err(format!("refuses what it has saved: {reason}"));
                }
                Answer::Failed(fault) => {
                    return Err(format!("fails on what it has saved: {fault}"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
