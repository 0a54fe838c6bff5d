//! `southbridge swap`.

use std::fmt::Display;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use clap::{ArgGroup, Args};
use serde::Serialize;

use super::Result;
use super::output::Output;
use super::table::Table;
use crate::control::qmp::{
    Checkpoint, Client, Device, Done, Faulted, ForgetCheckpoint, Kept, NoArguments, QueryFaults,
    Replaced, Restore, RollBack, Swap as Replace,
};
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
        let component = self.component.as_deref().map(absolute).transpose()?;
        let mut client = Client::connect(&self.control)?;
        if let (Some(slot), Some(component)) = (&self.slot, component) {
            let replace = Replace { slot: slot.clone(), component };
            self.exchange(&mut client, "__org.southbridge_swap", &replace, output)?;
        } else if let Some(slot) = self.roll_back.clone() {
            self.exchange(&mut client, "__org.southbridge_roll-back", &RollBack { slot }, output)?;
        } else if let Some(slot) = self.restore.clone() {
            self.exchange(&mut client, "__org.southbridge_restore", &Restore { slot }, output)?;
        } else if let Some(slot) = self.checkpoint.clone() {
            let kept: Vec<Kept> =
                client.execute("__org.southbridge_checkpoint", &Checkpoint { slot })?;
            self.show(&kept, output, || lines(&kept))?;
        } else if let Some(slot) = self.forget_checkpoint.clone() {
            let forget = ForgetCheckpoint { slot };
            let done: Done = client.execute("__org.southbridge_forget-checkpoint", &forget)?;
            self.show(&done, output, String::new)?;
        } else if let Some(slot) = self.faults.clone() {
            let faults: Vec<Faulted> =
                client.execute("__org.southbridge_query-faults", &QueryFaults { slot })?;
            self.show(&faults, output, || lines(&faults))?;
        } else {
            let devices: Vec<Device> =
                client.execute("__org.southbridge_query-devices", &NoArguments {})?;
            self.show(&devices, output, || list(&devices, output))?;
        }
        Ok(0)
    }

    /// Has a device replaced, and says how.
    fn exchange(
        &self,
        client: &mut Client,
        command: &str,
        arguments: &impl Serialize,
        output: &Output,
    ) -> Result<()> {
        let replaced: Replaced = client.execute(command, arguments)?;
        self.show(&replaced, output, || format!("{replaced}\n"))
    }

    fn show(
        &self,
        answer: &impl Serialize,
        output: &Output,
        text: impl FnOnce() -> String,
    ) -> Result<()> {
        if self.json { output.json(answer) } else { output.print(&text()) }
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
