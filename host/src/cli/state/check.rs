//! `southbridge state check`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{FILES, Source, plain};
use crate::cli::Result;
use crate::cli::components::Components;
use crate::cli::machine::Machines;
use crate::cli::output::Output;

/// Check whether a machine type can load a saved state.
///
/// Devices that are there by default or on request count as there if the state
/// has a section of them. All that does not fit is listed, and the status is 1.
#[derive(Args)]
#[command(after_help = FILES)]
pub(in crate::cli) struct Check {
    /// The file.
    file: PathBuf,

    /// The machine type's name or alias.
    #[arg(long, value_name = "NAME")]
    machine: String,

    #[command(flatten)]
    machines: Machines,

    #[command(flatten)]
    components: Components,

    /// The guest's processors. Default: as many as the state has sections of.
    #[arg(long, value_name = "N")]
    cpus: Option<u32>,

    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(&self, output: &Output) -> Result<u8> {
        let (types, library) = (self.machines.types()?, self.components.library()?);
        let machine_type = types.get(&self.machine)?;
        let source = Source::read(&self.file)?;
        let machine = source.machine_of(machine_type, &library, self.cpus)?;
        let problems = source.in_file(machine.check_stream(&source.stream));
        let advice = source.advice(&problems, machine.name(), &types, &library)?;
        let name = plain(machine.name());
        if self.json {
            let problems = problems.iter().map(
                |problem| json!({"offset": problem.offset, "problem": problem.fault.to_string()}),
            );
            output.json(&json!({
                "file": source.file,
                "machine": machine.name(),
                "fits": problems.len() == 0,
                "problems": problems.collect::<Vec<_>>(),
                "advice": advice,
            }))?;
        } else if problems.is_empty() {
            output.print(&format!("{}: fits {name}\n", source.file))?;
        } else {
            let lines = problems.iter().map(|problem| format!("  {problem}\n"));
            let advice = advice.map(|advice| format!("{advice}\n")).unwrap_or_default();
            let lines: String = lines.collect();
            output.print(&format!("{}: does not fit {name}\n{lines}{advice}", source.file))?;
        }
        Ok(u8::from(!problems.is_empty()))
    }
}
