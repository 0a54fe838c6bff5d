//! `southbridge machine`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Result;
use super::output::Output;
use crate::component::Sha256;
use crate::library;
use crate::machine::file::{MachineType, MachineTypes};

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
    /// wires and streams, and the SHA-256 of those that come from files.
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
                let hashes = hashes(machine)?;
                if *json {
                    output.json(&Shown { machine, hashes })?;
                } else {
                    output.print(&machine.to_string())?;
                    for (file, hash) in hashes {
                        output.print(&format!("file {file}: sha256 {hash}\n"))?;
                    }
                }
            }
        }
        Ok(0)
    }
}

/// A machine type, and which bytes its devices from files are at the moment.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    machine: &'a MachineType,
    #[serde(rename = "files", skip_serializing_if = "BTreeMap::is_empty")]
    hashes: BTreeMap<&'a str, Sha256>,
}

/// The files of a machine's devices with their SHA-256.
fn hashes(machine: &MachineType) -> Result<BTreeMap<&str, Sha256>> {
    let components = machine.entries().map(|entry| entry.component.value.as_str());
    let files = components.filter(|component| library::is_file(component));
    files.map(|file| Ok((file, library::hash_of(file)?))).collect()
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
