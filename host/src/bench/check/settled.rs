//! A device saves for a stream what it was loaded from.

use super::{Bench, Law, sprinkle};
use crate::bench::action::Action;
use crate::bench::outcome::Answer;
use crate::bench::random::Random;
use crate::bench::rig::Subject;
use crate::component::{Scope, Section};

pub(super) struct Settled;

impl Law for Settled {
    fn name(&self) -> &'static str {
        "settled"
    }

    fn says(&self) -> &'static str {
        "A device that was loaded from what it saved for a stream saves the same again"
    }

    fn is_advice(&self) -> bool {
        true
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
            let sections = outcome.sections();
            let load = Action::Load { scope: Scope::Stream, sections: sections.clone() };
            // What is refused is another law's.
            if bench.rig.perform(&load).answer == Answer::Done {
                same(&sections, &bench.rig.perform(action).sections())?;
            }
        }
        Ok(())
    }
}

fn same(saved: &[Section], again: &[Section]) -> Result<(), String> {
    let names = |sections: &[Section]| -> Vec<_> {
        sections.iter().map(|section| (section.name.clone(), section.version)).collect()
    };
    if names(saved) != names(again) {
        return Err(format!("saves {:?}, and {:?} before", names(again), names(saved)));
    }
    for (saved, again) in saved.iter().zip(again) {
        if saved.data.len() != again.data.len() {
            let (now, before) = (again.data.len(), saved.data.len());
            return Err(format!("section {} has {now} bytes, {before} before", saved.name));
        }
        let mut pairs = saved.data.iter().zip(&again.data).enumerate();
        if let Some((at, (before, now))) = pairs.find(|(_, (before, now))| before != now) {
            let name = &saved.name;
            return Err(format!("section {name}, byte {at}: {now:#04x}, {before:#04x} before"));
        }
    }
    Ok(())
}
