//! Draws actions until a device fails, over and over.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::action::Action;
use super::draw::{Draw, Range};
use super::minimize::minimize;
use super::outcome::Answer;
use super::random::Random;
use super::record::Record;
use super::rig::{Rig, Subject};
use crate::component::Error;
use crate::slot::GivenProperty;

/// The most actions of a run.
const LENGTH: u64 = 400;

/// How long and with what a device is fuzzed.
#[derive(Clone, Debug, Default)]
pub struct FuzzOptions {
    /// What is drawn follows from it.
    pub seed: u64,
    /// The time after which no run is begun; none if runs are counted.
    pub time: Option<Duration>,
    /// How many runs there are at most.
    pub runs: Option<u64>,
    /// Properties that are set; others are drawn.
    pub properties: Vec<GivenProperty>,
}

/// Something that no device may do, and how to have it do it.
pub struct Finding {
    /// What happened, in one line.
    pub what: String,
    /// The shortest list of actions that was found to lead there.
    pub record: Record,
}

/// How much was tried.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Devices that were plugged.
    pub runs: u64,
    /// Actions that happened to them.
    pub actions: u64,
    /// How long that took, without what it took to make findings short.
    pub time: Duration,
}

/// Fuzzes a component. `found` is told of each kind of failure once.
///
/// # Errors
/// The component cannot be plugged, or `found` fails.
pub fn fuzz<E: From<Error>>(
    subject: &Subject,
    options: &FuzzOptions,
    mut found: impl FnMut(Finding) -> Result<(), E>,
) -> Result<Tally, E> {
    Rig::new(subject)?;
    let mut random = Random::new(options.seed);
    let (mut tally, mut known) = (Tally::default(), BTreeSet::new());
    while options.runs.is_none_or(|runs| tally.runs < runs)
        && options.time.is_none_or(|time| tally.time < time)
    {
        let start = Instant::now();
        let (subject, actions, what) = run(subject, options, random.split().next());
        tally.runs += 1;
        tally.actions += actions.len() as u64;
        tally.time += start.elapsed();
        let Some(what) = what.filter(|what| known.insert(what.clone())) else { continue };
        found(finding(&subject, actions, what, options.seed)?)?;
    }
    Ok(tally)
}

/// One device from its start to its end, or its failure.
fn run(
    subject: &Subject,
    options: &FuzzOptions,
    seed: u64,
) -> (Subject, Vec<Action>, Option<String>) {
    let mut draw = Draw::new(&subject.image, Range::All, seed);
    let mut subject = subject.clone();
    let set = |given: &GivenProperty| options.properties.iter().any(|p| p.name == given.name);
    let drawn = draw.properties().into_iter().filter(|given| !set(given));
    let plain = std::mem::take(&mut subject.properties);
    subject.properties = plain.iter().cloned().chain(drawn).collect();
    subject.files = draw.files();
    let mut actions = Vec::new();
    // The list lies outside, so that it is there when the host panics.
    let what = catching(|| {
        let mut rig = match Rig::new(&subject) {
            Ok(rig) => rig,
            Err(error) => return refusal(&error),
        };
        if let Some(fault) = rig.started().fault() {
            return Some(fault.to_string());
        }
        for _ in 0..LENGTH {
            let action = draw.next(&rig);
            actions.push(action.clone());
            let outcome = rig.perform(&action);
            if let Some(what) = failure(&rig, &action, &outcome.answer) {
                return Some(what);
            }
            draw.learn(&action, &outcome);
        }
        None
    });
    (subject, actions, what)
}

/// What happens when a list of actions does.
fn failure_of(subject: &Subject, actions: &[Action]) -> Option<String> {
    catching(|| {
        let mut rig = match Rig::new(subject) {
            Ok(rig) => rig,
            Err(error) => return refusal(&error),
        };
        let started = rig.started().fault().map(ToString::to_string);
        started.or_else(|| {
            actions.iter().find_map(|action| {
                let answer = rig.perform(action).answer;
                failure(&rig, action, &answer)
            })
        })
    })
}

/// A device may refuse its properties, and not fail on them.
fn refusal(error: &Error) -> Option<String> {
    match error {
        Error::Fault(fault) => Some(fault.to_string()),
        _ => None,
    }
}

/// What no device may do.
fn failure(rig: &Rig, action: &Action, answer: &Answer) -> Option<String> {
    match (action, answer) {
        (_, Answer::Failed(fault)) => Some(fault.to_string()),
        (Action::Exchange, Answer::Refused(reason)) => Some(format!("exchange: {reason}")),
        _ => rig.undeclared().map(|what| format!("effect on something undeclared: {what}")),
    }
}

/// Does something, and takes a panic of the host for an answer.
fn catching(work: impl FnOnce() -> Option<String>) -> Option<String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Some(format!("the host panics: {}", text.unwrap_or("it does not say why")))
    })
}

fn finding(
    subject: &Subject,
    actions: Vec<Action>,
    what: String,
    seed: u64,
) -> Result<Finding, Error> {
    let fails = |fewer: &[Action]| failure_of(subject, fewer).as_ref() == Some(&what);
    let least = minimize(actions, fails);
    // What came of actions on which the host panics, nobody can write down.
    let record = catch_unwind(AssertUnwindSafe(|| Record::make(subject, &least)));
    let mut record = record.unwrap_or_else(|_| Ok(Record::of(subject, &least)))?;
    record.remarks = vec![what.clone(), format!("seed {seed}")];
    Ok(Finding { what, record })
}
