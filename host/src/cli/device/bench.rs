//! `southbridge device bench`.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::subject::{OnBench, title};
use crate::bench::{measure, quietly};
use crate::cli::Result;
use crate::cli::output::Output;
use crate::cli::table::Table;

/// Measure how long a device takes to be plugged, read, saved, loaded and exchanged for
/// a fresh instance of itself.
#[derive(Args)]
pub(in crate::cli) struct Bench {
    #[command(flatten)]
    device: OnBench,

    /// How often each is done.
    #[arg(long, default_value_t = 1000, value_name = "COUNT")]
    count: u32,

    /// Print one JSON object instead of text: times in nanoseconds.
    #[arg(long)]
    json: bool,
}

impl Bench {
    pub(in crate::cli) fn run(&self, output: &Output) -> Result<u8> {
        let subject = self.device.subject()?;
        let all = quietly(|| measure(&subject, self.count))?;
        if self.json {
            let nanoseconds = |time: Duration| time.as_nanos() as u64;
            let times = all.iter().map(|times| {
                json!({
                    "what": times.what,
                    "min": nanoseconds(times.least()),
                    "median": nanoseconds(times.median()),
                    "p99": nanoseconds(times.p99()),
                })
            });
            let (device, sha256) = (subject.image.title(), subject.image.hash());
            let times: Vec<_> = times.collect();
            let count = self.count;
            output.json(&json!({
                "device": device, "sha256": sha256, "count": count, "times": times,
            }))?;
            return Ok(0);
        }
        let mut table = Table::new(["WHAT", ">MIN", ">MEDIAN", ">P99"]);
        for times in &all {
            let row = [times.least(), times.median(), times.p99()];
            let [least, median, p99] = row.map(|time| format!("{time:.1?}"));
            table.row([times.what.clone(), least, median, p99]);
        }
        output.print(&format!("{}\n{}", title(&subject.image), table.text(0, output)))?;
        Ok(0)
    }
}
