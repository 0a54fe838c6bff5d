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

/// A failure.
struct Failure {
    /// What it has in common with others that are one finding with it.
    kind: String,
    /// What happened.
    what: String,
}

impl Failure {
    /// A failure of which there is one kind by this text.
    fn of(what: impl ToString) -> Self {
        Self { kind: what.to_string(), what: what.to_string() }
    }
}

/// Fuzzes a component. Properties that are not set are drawn. `found` is told of each kind
/// of failure once.
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
        let (subject, actions, failure) = run(subject, random.split().next());
        tally.runs += 1;
        tally.actions += actions.len() as u64;
        tally.time += start.elapsed();
        let Some(failure) = failure.filter(|new| known.insert(new.kind.clone())) else { continue };
        found(finding(&subject, actions, failure, options.seed))?;
    }
    Ok(tally)
}

/// One device from its start to its end, or its failure.
fn run(plain: &Subject, seed: u64) -> (Subject, Vec<Action>, Option<Failure>) {
    let mut draw = Draw::new(&plain.image, Range::All, seed);
    // Both lie outside, so that they are there when the host panics.
    let (mut subject, mut actions) = (draw.subject(plain), Vec::new());
    let what = catching(|| {
        let rig = Rig::new(&subject).or_else(|error| match error {
            Error::Fault(_) => Err(error),
            _ => {
                subject = plain.clone();
                Rig::new(&subject)
            }
        });
        let mut rig = match rig {
            Ok(rig) => rig,
            Err(error) => return refusal(&error),
        };
        if let Some(fault) = rig.started().fault() {
            return Some(Failure::of(fault));
        }
        for _ in 0..LENGTH {
            let action = draw.next(&rig);
            actions.push(action.clone());
            let outcome = rig.perform(&action);
            let failure = failure(&rig, &action, &outcome.answer);
            if failure.is_some() {
                return failure;
            }
            draw.learn(&action, &outcome);
        }
        None
    });
    (subject, actions, what)
}

/// What happens when a list of actions does.
fn failure_of(subject: &Subject, actions: &[Action]) -> Option<Failure> {
    catching(|| {
        let mut rig = match Rig::new(subject) {
            Ok(rig) => rig,
            Err(error) => return refusal(&error),
        };
        let started = rig.started().fault().map(Failure::of);
        started.or_else(|| {
            actions.iter().find_map(|action| {
                let answer = rig.perform(action).answer;
                failure(&rig, action, &answer)
            })
        })
    })
}

/// A device may refuse its properties, and not fail on them.
fn refusal(error: &Error) -> Option<Failure> {
    match error {
        Error::Fault(fault) => Some(Failure::of(fault)),
        _ => None,
    }
}

/// What no device may do.
fn failure(rig: &Rig, action: &Action, answer: &Answer) -> Option<Failure> {
    match (action, answer) {
        (_, Answer::Failed(fault)) => Some(Failure::of(fault)),
        // Which field was lost, and what was in it, differs from one time to the next.
        (Action::Exchange, Answer::Refused(reason)) => {
            Some(Failure { kind: "exchange".into(), what: format!("exchange: {reason}") })
        }
        _ => rig.undeclared().map(|what| {
            let kind = what.split(' ').next().unwrap_or_default();
            let kind = format!("undeclared {kind}");
            Failure { kind, what: format!("effect on something undeclared: {what}") }
        }),
    }
}

/// Does something, and takes a panic of the host for an answer.
fn catching(work: impl FnOnce() -> Option<Failure>) -> Option<Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Some(Failure::of(format!("the host panics: {}", text.unwrap_or("it does not say why"))))
    })
}

fn finding(subject: &Subject, actions: Vec<Action>, failure: Failure, seed: u64) -> Finding {
    let Failure { kind, what } = failure;
    let same = |fewer: &[Action]| failure_of(subject, fewer).filter(|other| other.kind == kind);
    let least = minimize(actions, |fewer| same(fewer).is_some());
    let what = same(&least).map_or(what, |failure| failure.what);
    // What came of actions on which the host panics, or a device that is never plugged,
    // nobody can write down.
    let made = catch_unwind(AssertUnwindSafe(|| Record::make(subject, &least)));
    let made = made.ok().and_then(Result::ok);
    let mut record = made.unwrap_or_else(|| Record::of(subject, &least));
    record.remarks = vec![what.clone(), format!("seed {seed}")];
    Finding { what, record }
}
