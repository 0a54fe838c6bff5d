//! `southbridge demo`.

use clap::Args;

use super::Result;
use super::output::Output;
use crate::demo;

/// Run a guest that checks its devices while one is replaced again and again.
///
/// The guest is part of the program: no firmware, no kernel and no network are
/// needed, only /dev/kvm. Ends with a table, and with status 1 if the guest saw
/// an error.
#[derive(Args)]
pub(super) struct Demo {
    /// End with one JSON object on the last line instead of the table.
    #[arg(long)]
    json: bool,
}

impl Demo {
    pub(super) fn run(&self, output: &Output) -> Result<u8> {
        let report = demo::run(&mut |line| output.note(line))?;
        if self.json {
            output.json(&report)?;
        } else {
            output.print(&format!("{}\n", report.to_string().trim_end()))?;
        }
        Ok(u8::from(report.guest_errors != 0))
    }
}
