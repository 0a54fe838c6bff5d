//! `southbridge device`.

mod bench;
mod build;
mod check;
mod fuzz;
mod new;
mod record;
mod replay;
mod subject;

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Subcommand;

use super::Result;
use super::components::Components;
use super::inspect::Inspection;
use super::output::Output;
use super::table::Table;
use crate::builtin;
use crate::library::unknown;

/// Show devices, those in this program or any component, and export them; make, build,
/// check and fuzz devices of your own.
#[derive(Subcommand)]
pub(super) enum Device {
    /// List the components in this program.
    List {
        #[command(flatten)]
        components: Components,

        /// Print one JSON array instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Show what a component is: what it imports and exports, its properties,
    /// regions, lines and saved state.
    Inspect {
        /// A .wasm file, or the name of a component in this program.
        component: String,

        #[command(flatten)]
        components: Components,

        /// Print one JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Write a component of this program to a file.
    Export {
        /// The component's name.
        component: String,

        /// The file; one that is there is overwritten.
        file: PathBuf,
    },
    New(new::New),
    Build(build::Build),
    Check(check::Check),
    Fuzz(fuzz::Fuzz),
    Record(record::Record),
    Replay(replay::Replay),
    Bench(bench::Bench),
}

impl Device {
    pub(super) fn run(&self, output: &Output) -> Result<u8> {
        match self {
            Self::New(new) => return new.run(output),
            Self::Build(build) => return build.run(output),
            Self::Check(check) => return check.run(output),
            Self::Fuzz(fuzz) => return fuzz.run(output),
            Self::Record(record) => return record.run(output),
            Self::Replay(replay) => return replay.run(output),
            Self::Bench(bench) => return bench.run(output),
            Self::List { components, json } => list(components, *json, output)?,
            Self::Export { component, file } => {
                let bytes = builtin::component(component).ok_or_else(|| unknown(component))?;
                std::fs::write(file, bytes)
                    .map_err(|error| anyhow!("cannot write {}: {error}", file.display()))?;
            }
            Self::Inspect { component, components, json } => {
                let image = components.library()?.get(component)?;
                let inspection = Inspection::of(&image);
                if *json {
                    output.json(&inspection)?;
                } else {
                    output.print(&inspection.text(output))?;
                }
            }
        }
        Ok(0)
    }
}

fn list(components: &Components, json: bool, output: &Output) -> Result<()> {
    let library = components.library()?;
    let mut table = Table::new(["NAME", "VERSION", ">BYTES", "WHAT"]);
    let mut values = Vec::new();
    for (name, _) in builtin::components() {
        let image = library.get(name)?;
        let description = image.description();
        let version = match description.build.as_str() {
            "" => description.version.clone(),
            build => format!("{}+{build}", description.version),
        };
        values.push(serde_json::json!({
            "name": name,
            "version": version,
            "bytes": image.size(),
            "summary": description.summary,
        }));
        let size = image.size().to_string();
        table.row([name.into(), version, size, description.summary.clone()]);
    }
    if json { output.json(&values) } else { output.print(&table.text(0, output)) }
}
