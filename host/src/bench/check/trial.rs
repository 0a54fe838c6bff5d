//! Tries laws on a device, round by round.

use super::service::NAME as IN_SERVICE;
use super::{Breach, Law, Options, Verdict, laws};
use crate::bench::action::Action;
use crate::bench::draw::{Draw, Range};
use crate::bench::minimize::minimize;
use crate::bench::random::Random;
use crate::bench::record::Record;
use crate::bench::rig::{Rig, Subject};
use crate::component::Error;

/// Actions of a list.
const LENGTH: u64 = 100;

/// Tries all laws on a component. Properties that are not set have their defaults in the
/// first round, and are drawn now and then in others. The verdicts follow from the
/// component and the options, unless the host has no memory or time left.
///
/// # Errors
/// The component cannot be plugged with the properties that are set.
pub fn check(subject: &Subject, options: &Options) -> Result<Vec<Verdict>, Error> {
    Rig::new(subject)?;
    let laws = laws(options.grants.as_ref());
    let verdicts = laws.iter().map(|law| Verdict {
        law: law.name(),
        says: law.says(),
        is_advice: law.is_advice(),
        breach: None,
        is_judged: true,
    });
    let mut trial = Trial { verdicts: verdicts.collect(), laws, seed: options.seed };
    let mut random = Random::new(options.seed);
    for round in 0..options.steps.div_ceil(LENGTH).max(1) {
        let length = LENGTH.min(options.steps.saturating_sub(round * LENGTH));
        let mut random = random.split();
        if round == 0 {
            trial.round(subject, length, &mut random)?;
        } else {
            let drawn = Draw::new(&subject.image, Range::Guest, random.next()).subject(subject);
            match Rig::new(&drawn) {
                Ok(_) => trial.round(&drawn, length, &mut random)?,
                // A device may refuse its properties, and not fail on them.
                Err(Error::Fault(fault)) => trial.never_served(&drawn, fault.to_string()),
                Err(_) => trial.round(subject, length, &mut random)?,
            }
        }
        if trial.is_over() {
            break;
        }
    }
    Ok(trial.verdicts)
}

struct Trial {
    laws: Vec<Box<dyn Law>>,
    /// In the order of the laws.
    verdicts: Vec<Verdict>,
    seed: u64,
}

impl Trial {
    /// Tries each law that has not been broken yet with one list.
    fn round(&mut self, subject: &Subject, length: u64, random: &mut Random) -> Result<(), Error> {
        for (law, verdict) in self.laws.iter().zip(&mut self.verdicts) {
            let mut random = random.split();
            if verdict.breach.is_none() {
                let actions = draw(subject, law.range(), length, random.next())?;
                let actions = law.weave(actions, &mut random);
                verdict.breach = try_law(&**law, subject, actions, self.seed);
            }
        }
        Ok(())
    }

    /// The device has failed before it was in service.
    fn never_served(&mut self, subject: &Subject, how: String) {
        for (law, verdict) in self.laws.iter().zip(&mut self.verdicts) {
            if law.name() == IN_SERVICE {
                verdict.breach = Some(breach(&**law, subject, &[], how.clone(), self.seed));
            }
        }
    }

    /// Whether the device does not stay in service: it breaks any law now and then.
    fn is_over(&mut self) -> bool {
        let over = self.verdicts.iter().any(|v| v.law == IN_SERVICE && v.breach.is_some());
        for verdict in &mut self.verdicts {
            verdict.is_judged = !over || verdict.breach.is_some();
        }
        over
    }
}

/// Has a law judge a list; if it is broken, makes the list short.
fn try_law(law: &dyn Law, subject: &Subject, actions: Vec<Action>, seed: u64) -> Option<Breach> {
    let first = law.judge(subject, &actions).err()?;
    let least = minimize(actions, |fewer| law.judge(subject, fewer).is_err());
    let how = law.judge(subject, &least).err().unwrap_or(first);
    Some(breach(law, subject, &least, how, seed))
}

fn breach(law: &dyn Law, subject: &Subject, actions: &[Action], how: String, seed: u64) -> Breach {
    // What came of it cannot be told of a device that is never plugged.
    let made = Record::make(subject, actions).ok();
    let mut record = made.unwrap_or_else(|| Record::of(subject, actions));
    record.law = Some(law.name().into());
    record.remarks = vec![format!("{}: {how}", law.says()), format!("seed {seed}")];
    Breach { how, record }
}

/// Draws a list of actions, up to one in which the device fails.
fn draw(subject: &Subject, range: Range, length: u64, seed: u64) -> Result<Vec<Action>, Error> {
    let mut rig = Rig::new(subject)?;
    let mut draw = Draw::new(&subject.image, range, seed);
    let mut actions = Vec::new();
    for _ in 0..length {
        let action = draw.next(&rig);
        let outcome = rig.perform(&action);
        draw.learn(&action, &outcome);
        actions.push(action);
        if outcome.fault().is_some() {
            break;
        }
    }
    Ok(actions)
}
