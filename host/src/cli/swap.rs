//! `southbridge swap`.

use std::fmt::Display;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use clap::{ArgGroup, Args};
use serde::Serialize;
use serde_json::Value;

use super::Result;
use super::output::Output;
use super::table::Table;
use crate::control::{Client, Command, Device, Faulted, Kept, Replaced};
use crate::library;

const EXAMPLES: &str = "\
Examples:
  southbridge swap --control /tmp/guest.sock --list
  southbridge swap --control /tmp/guest.sock pm ./piix4-pm.wasm
  southbridge swap --control /tmp/guest.sock --roll-back pm
  southbridge swap --control /tmp/guest.sock --checkpoint pm
  southbridge swap --control /tmp/guest.sock --restore pm";

/// Replace a device of a running guest, or go back to the one before.
///
/// The new version takes over the state of the old one. If it does not fit, the
/// guest goes on with the old one; the reason is said, and the status is 1. In
/// place of a device that has failed it starts from the checkpoint if there is
/// one, else as after a reset.
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    group = ArgGroup::new("what").required(true).args([
        "slot", "roll_back", "checkpoint", "forget_checkpoint", "restore", "faults", "list"
    ])
)]
pub(super) struct Swap {
    /// The guest's control socket.
    #[arg(long, value_name = "SOCKET")]
    control: PathBuf,

    /// The slot: the device's id in the machine.
    #[arg(requires = "component")]
    slot: Option<String>,

    /// The new component: a .wasm file, or the name of one in the program that
    /// runs the guest.
    #[arg(value_name = "COMPONENT")]
    component: Option<String>,

    /// Go back to what the last swap of this slot replaced.
    #[arg(long, value_name = "SLOT")]
    roll_back: Option<String>,

    /// Keep the state of this slot's device, or of all devices, for the case that
    /// it fails. A reset drops it.
    #[arg(long, value_name = "SLOT", num_args = 0..=1)]
    checkpoint: Option<Option<String>>,

    /// Drop the state that is kept in this slot.
    #[arg(long, value_name = "SLOT")]
    forget_checkpoint: Option<String>,

    /// Put the device that has failed in this slot back in service, with the state
    /// that is kept.
    #[arg(long, value_name = "SLOT")]
    restore: Option<String>,

    /// Show the last faults of this slot, or of all.
    #[arg(long, value_name = "SLOT", num_args = 0..=1)]
    faults: Option<Option<String>>,

    /// List what is in each slot.
    #[arg(long)]
    list: bool,

    /// Print JSON instead of text.
    #[arg(long)]
    json: bool,
}

impl Swap {
    pub(super) fn run(&self, output: &Output) -> Result<u8> {
        let command = self.command()?;
        let mut client = Client::connect(&self.control)?;
        match &command {
            Command::QueryDevices => {
                let devices: Vec<Device> = client.execute(&command)?;
                self.show(&devices, output, || list(&devices, output))?;
            }
            Command::Checkpoint { .. } => {
                let kept: Vec<Kept> = client.execute(&command)?;
                self.show(&kept, output, || lines(&kept))?;
            }
            Command::QueryFaults { .. } => {
                let faults: Vec<Faulted> = client.execute(&command)?;
                self.show(&faults, output, || lines(&faults))?;
            }
            Command::ForgetCheckpoint { .. } => {
                let nothing: Value = client.execute(&command)?;
                self.show(&nothing, output, String::new)?;
            }
            _ => {
                let replaced: Replaced = client.execute(&command)?;
                self.show(&replaced, output, || format!("{replaced}\n"))?;
            }
        }
        Ok(0)
    }

    fn show(
        &self,
        answer: &impl Serialize,
        output: &Output,
        text: impl FnOnce() -> String,
    ) -> Result<()> {
        if self.json { output.json(answer) } else { output.print(&text()) }
    }

    fn command(&self) -> Result<Command> {
        let Self { slot, component, roll_back, checkpoint, forget_checkpoint, .. } = self;
        Ok(if let (Some(slot), Some(component)) = (slot, component) {
            Command::Swap { slot: slot.clone(), component: absolute(component)? }
        } else if let Some(slot) = roll_back {
            Command::RollBack { slot: slot.clone() }
        } else if let Some(slot) = checkpoint {
            Command::Checkpoint { slot: slot.clone() }
        } else if let Some(slot) = forget_checkpoint {
            Command::ForgetCheckpoint { slot: slot.clone() }
        } else if let Some(slot) = &self.restore {
            Command::Restore { slot: slot.clone() }
        } else if let Some(slot) = &self.faults {
            Command::QueryFaults { slot: slot.clone() }
        } else {
            Command::QueryDevices
        })
    }
}

fn lines(items: &[impl Display]) -> String {
    items.iter().map(|item| format!("{item}\n")).collect()
}

/// The reference as it is to be understood in the guest's process, whose
/// directory may be another one.
fn absolute(reference: &str) -> Result<String> {
    if !library::is_file(reference) {
        return Ok(reference.into());
    }
    let path = std::path::absolute(reference).with_context(|| format!("{reference}: no path"))?;
    let text = path.into_os_string().into_string();
    text.map_err(|path| anyhow!("{}: a path in UTF-8 expected", path.display()))
}

fn list(devices: &[Device], output: &Output) -> String {
    let mut table = Table::new(["SLOT", "DEVICE", ">CALLS", ">SWAPS", ">FAULTS", "STATE"]);
    for device in devices {
        let state = match &device.fault {
            Some(fault) => format!("out of service: {fault}"),
            None => "in service".into(),
        };
        table.row([
            device.slot.clone(),
            device.device.clone(),
            device.calls.to_string(),
            device.swaps.to_string(),
            device.faults.to_string(),
            state,
        ]);
    }
    table.text(0, output)
}
