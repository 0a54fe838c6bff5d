//! `southbridge state convert`.

mod draft;
mod report;

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;

use super::plain;
use super::source::Source;
use crate::cli::Result;
use crate::cli::components::Components;
use crate::cli::machine::Machines;
use crate::cli::output::Output;
use crate::library::Library;
use crate::machine::file::{MachineType, MachineTypes};
use crate::migrate::{Converted, convert, fitting};
use crate::vm::MAX_CPUS;
use report::Report;

const ABOUT: &str = "\
What a guest could notice is what a machine of the new type does not have again
when it loads the result, such as an SMBus transaction in progress where SMBus
state is not saved. Unless --force is given nothing is written then.

IN is a stream of QEMU's, as `migrate` or `xen-save-devices-state` writes it, or a
file of `xl save`. OUT is of the same kind: guest memory and all else of the guest
are copied. They may be of any size, and the same file.";

/// Convert a saved state to another machine type of the same family, between
/// xenfv-3.1 and xenfv-4.2 or between versions of pc-i440fx.
///
/// Says every value that is dropped or invented, and refuses to convert when a
/// guest could notice.
#[derive(Args)]
#[command(after_help = ABOUT)]
pub(in crate::cli) struct Convert {
    /// The machine type that is to load the result.
    #[arg(long, value_name = "NAME")]
    to: String,

    /// The machine type the state is of, if it does not tell.
    #[arg(long, value_name = "NAME")]
    from: Option<String>,

    /// The guest's processors. Default: as many as have a section.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MAX_CPUS as i64))]
    cpus: Option<u32>,

    /// Convert even if a guest could notice.
    #[arg(long)]
    force: bool,

    /// The file to convert.
    #[arg(value_name = "IN")]
    input: PathBuf,

    /// Where the result goes. It replaces a file that is there once it is whole.
    #[arg(value_name = "OUT")]
    output: PathBuf,

    #[command(flatten)]
    machines: Machines,

    #[command(flatten)]
    components: Components,

    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

impl Convert {
    pub(super) fn run(&self, output: &Output) -> Result<()> {
        let (types, library) = (self.machines.types()?, self.components.library()?);
        let to = types.get(&self.to)?;
        let source = Source::read(&self.input)?;
        let (from, converted) = self.convert(&source, &types, to, &library)?;
        let live = match converted.losses.is_empty() || self.force {
            true => Some(draft::write(&self.input, &source, &converted.stream, to, &self.output)?),
            false => None,
        };
        let report = Report { source: &source, output: &self.output, from, to, converted, live };
        if self.json {
            output.json(&report.json())?;
        } else {
            output.print(&report.text(output))?;
        }
        report.result()
    }

    /// The machine type the state is of, and the state as one of `to`.
    fn convert<'t>(
        &self,
        source: &Source,
        types: &'t MachineTypes,
        to: &MachineType,
        library: &Library,
    ) -> Result<(&'t MachineType, Converted)> {
        let Source { file, stream, .. } = source;
        let as_one_of = |from: &MachineType| {
            let converted = convert(stream, from, to, library, self.cpus);
            converted.map_err(|error| anyhow!("{file}: {}", error.in_file(source.offset)))
        };
        if let Some(name) = self.from.as_deref().or(source.machine()) {
            let from = types.get(name).map_err(|error| anyhow!("{file}: {error}"))?;
            return Ok((from, as_one_of(from)?));
        }
        let fitting = fitting(stream, types, library)?;
        // Where one type of the target's family saves such a state, no other is meant.
        let family: Vec<_> = fitting.iter().filter(|from| from.memory == to.memory).collect();
        let fitting: Vec<&MachineType> = match family.as_slice() {
            [] => fitting,
            family => family.iter().map(|from| **from).collect(),
        };
        // What a machine type's devices refuse is not of that type.
        let (mut found, mut refused): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
        for from in fitting {
            match as_one_of(from) {
                Ok(converted) => found.push((from, converted)),
                Err(error) => refused.push(error),
            }
        }
        if found.iter().any(|(_, converted)| *converted != found[0].1) {
            let names: Vec<_> = found.iter().map(|(from, _)| from.name.as_str()).collect();
            return Err(anyhow!(
                "{file}: the state may be of {}, and that matters; --from says which it is",
                plain(&names.join(", "))
            ));
        }
        let nothing = || {
            anyhow!(
                "{file}: no machine type saves such a state; southbridge state detect shows what \
                 is in it, --from says of which machine type it is"
            )
        };
        let why = || refused.into_iter().next().unwrap_or_else(nothing);
        found.into_iter().next().ok_or_else(why)
    }
}
