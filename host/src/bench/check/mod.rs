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
mod trial;
mod width;

use std::collections::BTreeSet;

use super::action::Action;
use super::draw::Range;
use super::outcome::Outcome;
use super::random::Random;
use super::record::{Record, print_outcome};
use super::rig::{Rig, Subject};
use crate::component::{Description, Interface, Scope, Section};

pub use trial::check;

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
    /// Whether it was judged to the end: no device is that does not stay in service.
    pub is_judged: bool,
}

/// How a law was broken.
pub struct Breach {
    /// In one line.
    pub how: String,
    /// The shortest list of actions that was found to show it.
    pub record: Record,
}

/// Judges a list of actions by one law; none if there is no such law.
#[must_use]
pub fn judge(law: &str, subject: &Subject, actions: &[Action]) -> Option<Result<(), String>> {
    let law = laws(None).into_iter().find(|known| known.name() == law)?;
    Some(law.judge(subject, actions))
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
