//! `southbridge device check`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::subject::{OnBench, indented, keep, title};
use crate::bench::{self, Options, Verdict, quietly};
use crate::cli::Result;
use crate::cli::output::Output;
use crate::component::{Image, Interface};

/// Check a device against the laws of the contract. Of each law that it breaks, the
/// shortest list of actions that shows it is printed, and saved as a record. Advice is
/// what a device may have a reason not to follow. The exit status is 1 if a law is broken.
#[derive(Args)]
pub(in crate::cli) struct Check {
    #[command(flatten)]
    device: OnBench,

    /// How many actions are drawn for each law.
    #[arg(long, default_value_t = 2000, value_name = "COUNT")]
    steps: u64,

    /// What the actions follow from: the same number gives the same actions.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,

    /// An interface that the device may import, besides the free ones. May be repeated.
    /// Without it, all of the contract that the device has declared a use for.
    #[arg(long = "grant", value_name = "INTERFACE")]
    grants: Vec<Interface>,

    /// Where records are saved.
    #[arg(long, default_value = ".", value_name = "DIR")]
    out: PathBuf,

    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(in crate::cli) fn run(&self, output: &Output) -> Result<u8> {
        let subject = self.device.subject()?;
        let image = &subject.image;
        let options = Options {
            seed: self.seed,
            steps: self.steps,
            grants: (!self.grants.is_empty()).then(|| self.grants.iter().copied().collect()),
        };
        let verdicts = quietly(|| bench::check(&subject, &options))?;
        let places = verdicts.iter().map(|verdict| self.keep(image, verdict));
        let places = places.collect::<Result<Vec<_>>>()?;
        let is_broken = |verdict: &&Verdict| verdict.breach.is_some() && !verdict.is_advice;
        let broken = verdicts.iter().filter(is_broken).count();
        if self.json {
            let laws = verdicts.iter().zip(&places).map(|(verdict, place)| {
                json!({
                    "law": verdict.law,
                    "says": verdict.says,
                    "advice": verdict.is_advice,
                    "holds": verdict.breach.is_none(),
                    "judged": verdict.is_judged,
                    "how": verdict.breach.as_ref().map(|breach| &breach.how),
                    "record": place,
                })
            });
            output.json(&json!({
                "device": image.title(),
                "sha256": image.hash(),
                "seed": self.seed,
                "steps": self.steps,
                "laws": laws.collect::<Vec<_>>(),
            }))?;
        } else {
            let widest = verdicts.iter().map(|verdict| verdict.law.len()).max().unwrap_or_default();
            let mut text = format!("{}\n", title(image));
            let asked: Vec<_> = image.imports().iter().filter(|i| !i.is_free()).collect();
            if !asked.is_empty() {
                let asked: Vec<_> = asked.into_iter().map(|interface| interface.name()).collect();
                text += &format!("A machine must grant it {}.\n", asked.join(", "));
            }
            for (verdict, place) in verdicts.iter().zip(&places) {
                text += &lines(image, verdict, place.as_deref(), widest);
            }
            let (steps, seed) = (self.steps, self.seed);
            text += &match broken {
                0 => format!("No law is broken in {steps} actions for each, seed {seed}.\n"),
                1 => format!("A law is broken, seed {seed}.\n"),
                _ => format!("{broken} laws are broken, seed {seed}.\n"),
            };
            output.print(&text)?;
        }
        Ok(u8::from(broken != 0))
    }

    /// Saves how a law was broken; returns where.
    fn keep(&self, image: &Image, verdict: &Verdict) -> Result<Option<String>> {
        let Some(breach) = &verdict.breach else { return Ok(None) };
        let of = image.description();
        let name = format!("{}-{}", of.name, verdict.law);
        keep(&self.out, &name, &breach.record.text(of)).map(Some)
    }
}

/// What became of a law, for people.
fn lines(image: &Image, verdict: &Verdict, place: Option<&str>, widest: usize) -> String {
    let Verdict { law, says, is_advice, breach, is_judged } = verdict;
    let Some(breach) = breach else {
        let what = if *is_judged { "holds" } else { "not judged further" };
        return format!("{law:widest$}  {what}\n");
    };
    let word = if *is_advice { "advice" } else { "BROKEN" };
    let record = breach.record.text(image.description());
    let actions = record.lines().filter(|line| line.starts_with(['>', '<']));
    let saved = place.map(|place| format!("saved as {place}"));
    let shown = indented(actions.chain(saved.as_deref()));
    format!("{law:widest$}  {word}: {}\n    {says}:\n{shown}", breach.how)
}
