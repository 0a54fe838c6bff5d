//! The laws that any device must keep, and lists of actions that show one broken.
//!
//! A law judges a list of actions: it has them happen to a device, once or several
//! times, and looks at what came of them. Lists are drawn; one that breaks a law is
//! made as short as it can be.

mod declared;
mod description;
mod imports;
mod load;
mod replay;
mod reset;
mod save;
mod service;
mod settled;
mod stream;
mod width;

use std::collections::BTreeSet;

use super::action::Action;
use super::draw::{Draw, Range};
use super::minimize::minimize;
use super::outcome::Outcome;
use super::random::Random;
use super::record::{Record, print_outcome};
use super::rig::{Rig, Subject};
use crate::component::{Description, Error, Interface, Scope, Section};
use crate::slot::GivenProperty;

/// Actions of a list.
const LENGTH: u64 = 100;

/// A law of the contract.
trait Law {
    /// Its name.
    fn name(&self) -> &'static str;

    /// What it says.
    fn says(&self) -> &'static str;

    /// Whether a device may have a reason to break it, such as that the one it stands for
    /// did.
    fn is_advice(&self) -> bool {
        false
    }

    /// Which actions it is tried with.
    fn range(&self) -> Range {
        Range::Guest
    }

    /// Puts what the law is about between the actions of a list.
    fn weave(&self, actions: Vec<Action>, _random: &mut Random) -> Vec<Action> {
        actions
    }

    /// Whether a device keeps the law when these actions happen to it.
    ///
    /// # Errors
    /// It does not: how, in one line.
    fn judge(&self, subject: &Subject, actions: &[Action]) -> Result<(), String>;
}

/// All laws. `grants` are the interfaces that the device may import; if there are
/// none given, all of the contract.
fn laws(grants: Option<&BTreeSet<Interface>>) -> Vec<Box<dyn Law>> {
    vec![
        Box::new(imports::Imports(grants.cloned())),
        Box::new(description::Described),
        Box::new(service::InService),
        Box::new(declared::Declared),
        Box::new(reset::Reset),
        Box::new(save::Save),
        Box::new(replay::Replay),
        Box::new(stream::Stream),
        Box::new(load::Load),
        Box::new(width::Width),
        Box::new(settled::Settled),
    ]
}

/// How a device is checked.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What is drawn follows from it.
    pub seed: u64,
    /// How many actions are drawn for each law.
    pub steps: u64,
    /// Properties that are set; others are drawn, and have their defaults half of the
    /// times.
    pub properties: Vec<GivenProperty>,
    /// Interfaces that the device may import; all, if this is none.
    pub grants: Option<BTreeSet<Interface>>,
}

/// What became of a law.
pub struct Verdict {
    /// The law's name.
    pub law: &'static str,
    /// What it says.
    pub says: &'static str,
    /// Whether it is advice: a device may have a reason to break it.
    pub is_advice: bool,
    /// How it was broken.
    pub breach: Option<Breach>,
}

/// How a law was broken.
pub struct Breach {
    /// In one line.
    pub how: String,
    /// The shortest list of actions that was found to show it.
    pub record: Record,
}

/// Tries all laws on a component. The verdicts follow from the component and the
/// options, unless the host has no memory or time left.
///
/// # Errors
/// The component cannot be plugged with the properties that are set.
pub fn check(subject: &Subject, options: &Options) -> Result<Vec<Verdict>, Error> {
    Rig::new(subject)?;
    let laws = laws(options.grants.as_ref());
    let verdict = |law: &Box<dyn Law>| Verdict {
        law: law.name(),
        says: law.says(),
        is_advice: law.is_advice(),
        breach: None,
    };
    let mut verdicts: Vec<_> = laws.iter().map(verdict).collect();
    let mut random = Random::new(options.seed);
    for round in 0..options.steps.div_ceil(LENGTH).max(1) {
        let length = LENGTH.min(options.steps.saturating_sub(round * LENGTH));
        let seed = random.split().next();
        // First with the defaults: a device that does little with others is tried too.
        let subject = if round == 0 { subject.clone() } else { drawn(subject, seed) };
        for (law, verdict) in laws.iter().zip(&mut verdicts) {
            let mut random = random.split();
            if verdict.breach.is_none() {
                let actions = draw(&subject, law.range(), length, random.next())?;
                let actions = law.weave(actions, &mut random);
                verdict.breach = try_law(&**law, &subject, actions, options.seed)?;
            }
        }
    }
    Ok(verdicts)
}

/// Judges a list of actions by one law; none if there is no such law.
#[must_use]
pub fn judge(law: &str, subject: &Subject, actions: &[Action]) -> Option<Result<(), String>> {
    let law = laws(None).into_iter().find(|known| known.name() == law)?;
    Some(law.judge(subject, actions))
}

fn try_law(
    law: &dyn Law,
    subject: &Subject,
    actions: Vec<Action>,
    seed: u64,
) -> Result<Option<Breach>, Error> {
    let Err(first) = law.judge(subject, &actions) else { return Ok(None) };
    let least = minimize(actions, |fewer| law.judge(subject, fewer).is_err());
    let how = law.judge(subject, &least).err().unwrap_or(first);
    let mut record = Record::make(subject, &least)?;
    record.law = Some(law.name().into());
    record.remarks = vec![format!("{}: {how}", law.says()), format!("seed {seed}")];
    Ok(Some(Breach { how, record }))
}

/// The same component with drawn properties, if it takes them, and files.
fn drawn(subject: &Subject, seed: u64) -> Subject {
    let mut draw = Draw::new(&subject.image, Range::Guest, seed);
    let mut drawn = subject.clone();
    let set = |given: &GivenProperty| subject.properties.iter().any(|p| p.name == given.name);
    drawn.properties.extend(draw.properties().into_iter().filter(|given| !set(given)));
    drawn.files = draw.files();
    if Rig::new(&drawn).is_ok() { drawn } else { subject.clone() }
}

/// Draws a list of actions, up to one in which the device fails.
fn draw(
    subject: &Subject,
    range: Range,
    length: u64,
    seed: u64,
) -> Result<Vec<Action>, Error> {
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

/// Puts an action at some places of a list: at each with a chance of one in 16, and
/// at the end.
fn sprinkle(actions: Vec<Action>, random: &mut Random, what: impl Fn() -> Action) -> Vec<Action> {
    let mut all = Vec::with_capacity(actions.len() + actions.len() / 8);
    for action in actions {
        all.push(action);
        if random.once_in(16) {
            all.push(what());
        }
    }
    all.push(what());
    all
}

/// A device, with a way to say what is wrong.
struct Bench {
    rig: Rig,
}

impl Bench {
    fn new(subject: &Subject) -> Result<Self, String> {
        let rig = Rig::new(subject).map_err(|error| format!("cannot be plugged: {error}"))?;
        Ok(Self { rig })
    }

    /// The whole state.
    fn state(&mut self) -> Vec<Section> {
        self.rig.perform(&Action::Save { scope: Scope::Whole }).sections()
    }
}

/// That two outcomes of an action differ.
fn differs(what: &str, found: &Outcome, expected: &Outcome, of: &Description) -> String {
    let (found, expected) = (print_outcome(found, of), print_outcome(expected, of));
    let longest = found.len().max(expected.len());
    let line = |lines: &[String], at: usize| lines.get(at).map_or("nothing".into(), String::clone);
    let at = (0..longest).find(|&at| found.get(at) != expected.get(at)).unwrap_or_default();
    format!("{what}: {:?}, {:?} expected", line(&found, at), line(&expected, at))
}
