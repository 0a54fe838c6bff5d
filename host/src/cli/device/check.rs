//! `southbridge device check`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::subject::{OnBench, indented, keep, title};
use crate::bench::{self, Options, quietly};
use crate::cli::Result;
use crate::cli::output::Output;
use crate::component::Interface;

/// Check a device against the laws of the contract. Of each law that it breaks, the
/// shortest list of actions that shows it is printed, and saved as a record. The exit
/// status is 1 if a law is broken.
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
            properties: subject.properties.clone(),
            grants: (!self.grants.is_empty()).then(|| self.grants.iter().copied().collect()),
        };
        let verdicts = quietly(|| bench::check(&subject, &options))?;
        let widest = verdicts.iter().map(|verdict| verdict.law.len()).max().unwrap_or_default();
        let mut text = format!("{}\n", title(image));
        let asked: BTreeSet<_> =
            image.imports().iter().filter(|i| !i.is_free()).map(|i| i.name()).collect();
        if !asked.is_empty() {
            let asked: Vec<_> = asked.iter().copied().collect();
            text += &format!("A machine must grant: {}\n", asked.join(", "));
        }
        let mut values = Vec::new();
        let mut broken = 0;
        for verdict in &verdicts {
            let law = verdict.law;
            let mut value = json!({"law": law, "says": verdict.says, "holds": true});
            match &verdict.breach {
                None => text += &format!("{law:widest$}  holds\n"),
                Some(breach) => {
                    broken += 1;
                    let record = breach.record.text(image.description());
                    let name = format!("{}-{law}", image.description().name);
                    let place = keep(&self.out, &name, &record)?;
                    text += &format!("{law:widest$}  BROKEN  {}\n", breach.how);
                    text += &format!("{:widest$}          {}\n", "", verdict.says);
                    let actions = record.lines().filter(|line| line.starts_with(['>', '<']));
                    text += &indented(actions.chain([format!("saved as {place}").as_str()]));
                    value["holds"] = false.into();
                    value["how"] = breach.how.clone().into();
                    value["record"] = place.into();
                }
            }
            values.push(value);
        }
        if self.json {
            output.json(&json!({
                "device": image.title(),
                "sha256": image.hash(),
                "seed": self.seed,
                "steps": self.steps,
                "laws": values,
            }))?;
        } else {
            let all = verdicts.len();
            let (steps, seed) = (self.steps, self.seed);
            text += &format!(
                "{} of {all} laws hold in {steps} actions each, seed {seed}\n",
                all - broken
            );
            output.print(&text)?;
        }
        Ok(u8::from(broken != 0))
    }
}
