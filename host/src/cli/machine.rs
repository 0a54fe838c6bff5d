//! `southbridge machine`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Result;
use super::output::Output;
use crate::machine::file::MachineTypes;

/// Show the machine types there are.
#[derive(Subcommand)]
pub(super) enum Machine {
    /// List all machine types.
    List {
        #[command(flatten)]
        machines: Machines,

        /// Print one JSON array instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Show a machine type: its devices, where they sit, their properties,
    /// wires and streams.
    Show {
        /// The machine type's name or alias.
        name: String,

        #[command(flatten)]
        machines: Machines,

        /// Print one JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
}

impl Machine {
    pub(super) fn run(&self, output: &Output) -> Result<u8> {
        match self {
            Self::List { machines, json: true } => output.json(&machines.types()?)?,
            Self::List { machines, json: false } => output.print(&machines.types()?.to_string())?,
            Self::Show { name, machines, json } => {
                let types = machines.types()?;
                let machine = types.get(name)?;
                if *json { output.json(machine)? } else { output.print(&machine.to_string())? }
            }
        }
        Ok(0)
    }
}

/// Which machine types there are.
#[derive(Args)]
pub(super) struct Machines {
    /// A file with more machine types; they may inherit from the others. May be
    /// given several times.
    #[arg(long, value_name = "FILE")]
    machine_file: Vec<PathBuf>,
}

impl Machines {
    pub(super) fn types(&self) -> Result<MachineTypes> {
        let mut types = MachineTypes::builtin()?;
        for file in &self.machine_file {
            types.load_file(file)?;
        }
        Ok(types)
    }
}
