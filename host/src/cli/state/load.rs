//! From a file to a machine.

use std::sync::Arc;

use anyhow::anyhow;

use super::{Source, plain};
use crate::cli::Result;
use crate::cli::output::Output;
use crate::library::Library;
use crate::machine::Machine;
use crate::machine::file::{MachineType, MachineTypes};
use crate::migrate::{self, Fault, Problem};

impl Source {
    /// Loads the state into a machine that has not started.
    pub(in crate::cli) fn load(
        &self,
        machine: &Machine,
        types: &MachineTypes,
        library: &Library,
        output: &Output,
    ) -> Result<()> {
        let loaded = machine.load_stream(&self.stream).map_err(|problems| {
            let problems = self.in_file(problems);
            let advice = self.advice(&problems, machine.name(), types, library);
            let problems = problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; ");
            match advice {
                Ok(Some(advice)) => anyhow!("{}: {advice}: {problems}", self.file),
                _ => anyhow!("{}: {problems}", self.file),
            }
        })?;
        if !loaded.kept.is_empty() {
            let kept = loaded.kept.iter().map(|(name, instance)| match instance {
                0 => plain(name),
                instance => format!("{} {instance}", plain(name)),
            });
            let kept = kept.collect::<Vec<_>>().join(", ");
            output.note(&format!("kept for devices that are not there: {kept}"));
        }
        Ok(())
    }

    /// A machine of a type, without processors, with the devices that the state
    /// tells of.
    pub(super) fn machine_of(
        &self,
        machine: &MachineType,
        library: &Library,
        cpus: Option<u32>,
    ) -> Result<Arc<Machine>> {
        let plan = migrate::plan_for(&self.stream, machine, library, cpus)?;
        Ok(Machine::build_alone(&plan)?)
    }

    /// The problems with offsets in the file.
    pub(super) fn in_file(&self, problems: Vec<Problem>) -> Vec<Problem> {
        problems.into_iter().map(|problem| problem.in_file(self.offset)).collect()
    }

    /// What to do about a state that is another machine's.
    pub(super) fn advice(
        &self,
        problems: &[Problem],
        machine: &str,
        types: &MachineTypes,
        library: &Library,
    ) -> Result<Option<String>> {
        let Some(other) = problems.iter().find(|problem| problem.is_other_format()) else {
            return Ok(None);
        };
        let fitting = migrate::fitting(&self.stream, types, library)?;
        // The newest of those it fits.
        let Some(first) = fitting.last() else { return Ok(None) };
        let others = match fitting.len() {
            1 => String::new(),
            count => format!(", as of {} more machine types", count - 1),
        };
        let reason = match &other.fault {
            Fault::OtherFormat { section, difference, .. } => {
                format!(" ({} {difference})", plain(section))
            }
            _ => String::new(),
        };
        Ok(Some(format!(
            "this state is in {0}'s format{others}{reason}; start with --machine {0}, or convert \
             it with southbridge state convert --to {machine}",
            first.name
        )))
    }
}
