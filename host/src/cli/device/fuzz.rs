//! `southbridge device fuzz`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::subject::{OnBench, indented, keep, title};
use crate::bench::{self, Finding, FuzzOptions, quietly};
use crate::cli::Result;
use crate::cli::args;
use crate::cli::output::Output;

/// Fuzz a device: draw actions from all that it declares until it traps, outlives its
/// deadline, takes too much, loses its state, or the host panics. Each kind of failure
/// is made short and saved as a record. The exit status is 1 if there was any.
#[derive(Args)]
pub(in crate::cli) struct Fuzz {
    #[command(flatten)]
    device: OnBench,

    /// How long: 500ms, 30s, 5m, 2h. Default: 30s, unless runs are counted.
    #[arg(long, value_parser = args::duration, value_name = "TIME")]
    time: Option<Duration>,

    /// How many runs, of up to 400 actions on a device that was just switched on.
    #[arg(long, value_name = "COUNT")]
    runs: Option<u64>,

    /// What the actions follow from: the same number gives the same actions.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    seed: u64,

    /// Where records are saved.
    #[arg(long, default_value = ".", value_name = "DIR")]
    out: PathBuf,
}

/// How long it takes if nobody says.
const TIME: Duration = Duration::from_secs(30);

impl Fuzz {
    pub(in crate::cli) fn run(&self, output: &Output) -> Result<u8> {
        let subject = self.device.subject()?;
        let of = subject.image.description();
        output.print(&format!("{}\n", title(&subject.image)))?;
        let options = FuzzOptions {
            seed: self.seed,
            time: self.time.or_else(|| self.runs.is_none().then_some(TIME)),
            runs: self.runs,
        };
        let mut findings = 0;
        let mut found = |Finding { what, record }: Finding| -> Result<()> {
            findings += 1;
            let text = record.text(of);
            let place = keep(&self.out, &format!("{}-fuzz-{findings}", of.name), &text)?;
            let actions = text.lines().filter(|line| line.starts_with(['>', '<']));
            let shown = indented(actions.chain([format!("saved as {place}").as_str()]));
            output.print(&format!("{what}\n{shown}"))
        };
        let tally = quietly(|| bench::fuzz(&subject, &options, &mut found))?;
        let seconds = tally.time.as_secs_f64();
        let rate = if seconds > 0.0 { tally.actions as f64 / seconds } else { 0.0 };
        output.print(&format!(
            "{} actions in {} runs, {rate:.0} a second, seed {}: {findings} kinds of failure\n",
            tally.actions, tally.runs, self.seed
        ))?;
        Ok(u8::from(findings != 0))
    }
}
