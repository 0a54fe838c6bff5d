//! `southbridge device replay`.

use std::fs;
use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;

use super::subject::{OnBench, title};
use crate::bench::{
    self, Action, Difference, Record, Rig, Subject, compare, minimize, print_action, print_event,
    print_outcome, quietly,
};
use crate::cli::Result;
use crate::cli::output::Output;
use crate::component::Image;

/// The most actions of a history that are shown without being asked for.
const HISTORY: usize = 40;

/// Have the actions of a record happen to a device, and print what comes of each. The
/// exit status is 1 if something else comes of them than the record says, the record
/// shows a law broken that still is, or two versions differ.
#[derive(Args)]
pub(in crate::cli) struct Replay {
    #[command(flatten)]
    device: OnBench,

    /// The record: one that `check` or `fuzz` has saved, or a text file by hand.
    record: PathBuf,

    /// Another version: print the first difference, with the shortest history that
    /// leads to it.
    #[arg(long, value_name = "COMPONENT")]
    against: Option<String>,
}

impl Replay {
    pub(in crate::cli) fn run(&self, output: &Output) -> Result<u8> {
        let image = self.device.image()?;
        let record = self.read(&image)?;
        let subject = self.configured(&record, image)?;
        match &self.against {
            None => replay(&subject, &record, output),
            Some(other) => {
                let image = self.device.other(other)?;
                let other = self.read(&image)?;
                let other_subject = other.subject(image);
                against((&subject, &record), (&other_subject, &other), output)
            }
        }
    }

    fn read(&self, image: &Image) -> Result<Record> {
        let path = self.record.display();
        let text = fs::read_to_string(&self.record)
            .map_err(|error| anyhow!("{path}: cannot read: {error}"))?;
        Record::parse(&text, image.description()).map_err(|error| anyhow!("{path}: {error}"))
    }

    /// The properties of the command line prevail over those of the record.
    fn configured(&self, record: &Record, image: Image) -> Result<Subject> {
        let mut subject = record.subject(image);
        let given = self.device.subject()?.properties;
        subject.properties.retain(|old| given.iter().all(|new| new.name != old.name));
        subject.properties.extend(given);
        Ok(subject)
    }
}

fn replay(subject: &Subject, record: &Record, output: &Output) -> Result<u8> {
    let of = subject.image.description();
    let mut rig = Rig::new(subject)?;
    let mut text = format!("# {}\n", title(&subject.image));
    if let Some(hash) = record.component.as_ref().filter(|hash| *hash != subject.image.hash()) {
        text += &format!("# recorded with sha256 {hash}\n");
    }
    for event in &rig.started().events {
        text += &format!("# at the start: {}\n", print_event(event, of));
    }
    output.print(&text)?;
    let mut others = 0;
    for step in &record.steps {
        let came = print_outcome(&rig.perform(&step.action), of);
        let mut text = format!("> {}\n", print_action(&step.action, of));
        for line in &came {
            text += &format!("< {line}\n");
        }
        if let Some(recorded) = step.came.as_ref().filter(|recorded| **recorded != came) {
            others += 1;
            for line in recorded {
                text += &format!("# line {}, recorded: {line}\n", step.line);
            }
        }
        output.print(&text)?;
    }
    let mut failed = others != 0;
    if failed {
        output.print(&format!("# {others} actions came to something else than recorded\n"))?;
    }
    if let Some(law) = &record.law {
        let judged = quietly(|| bench::judge(law, subject, &record.actions()));
        let judged = judged.ok_or_else(|| anyhow!("no law {law:?} in this program"))?;
        let text = match &judged {
            Ok(()) => format!("# law {law}: holds\n"),
            Err(how) => format!("# law {law}: broken: {how}\n"),
        };
        // What it looked like while the law was broken is not what is to be seen.
        failed = judged.is_err();
        output.print(&text)?;
    }
    Ok(u8::from(failed))
}

fn against(one: (&Subject, &Record), other: (&Subject, &Record), output: &Output) -> Result<u8> {
    let actions: Vec<(Action, Action)> =
        one.1.actions().into_iter().zip(other.1.actions()).collect();
    let (first, second): (Vec<_>, Vec<_>) = actions.iter().cloned().unzip();
    let titles = [one.0, other.0].map(|subject| title(&subject.image));
    let Some(Difference { action, .. }) = compare((one.0, &first), (other.0, &second))? else {
        let count = actions.len();
        output.print(&format!("no difference in {count} actions\n"))?;
        return Ok(0);
    };
    let until = action.map_or(0, |action| action + 1);
    // Actions are named alike in both versions, and have the same numbers in a list.
    let least = quietly(|| shortest(one.0, other.0, &first[..until], &second[..until]));
    let (first, second): (Vec<_>, Vec<_>) = least.into_iter().unzip();
    let difference = compare((one.0, &first), (other.0, &second))?;
    let Some(Difference { one: came, other: other_came, .. }) = difference else {
        return Err(anyhow!("the two versions do not differ always: replay the record again"));
    };
    let of = one.0.image.description();
    let mut text = match action {
        Some(_) => {
            let line = one.1.steps.get(until - 1).map_or(0, |step| step.line);
            format!("they differ at line {line}\n")
        }
        None => "they differ when they are switched on\n".into(),
    };
    let hidden = first.len().saturating_sub(HISTORY);
    if hidden != 0 {
        text += &format!("# {hidden} actions before\n");
    }
    for action in &first[hidden..] {
        text += &format!("> {}\n", print_action(action, of));
    }
    for (title, came) in titles.iter().zip([&came, &other_came]) {
        text += &format!("# {title}\n");
        for line in came {
            text += &format!("< {line}\n");
        }
    }
    output.print(&text)?;
    Ok(1)
}

/// The shortest part of a list after which two versions differ.
fn shortest(
    one: &Subject,
    other: &Subject,
    first: &[Action],
    second: &[Action],
) -> Vec<(Action, Action)> {
    let same = format!("{first:?}") == format!("{second:?}");
    if !same {
        return first.iter().cloned().zip(second.iter().cloned()).collect();
    }
    let differ = |actions: &[Action]| {
        compare((one, actions), (other, actions)).is_ok_and(|found| found.is_some())
    };
    let least = minimize(first.to_vec(), differ);
    least.into_iter().map(|action| (action.clone(), action)).collect()
}
