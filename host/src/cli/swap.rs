//! `southbridge swap`.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use clap::{ArgGroup, Args};

use super::Result;
use super::output::Output;
use super::table::Table;
use crate::control::qmp::{Client, Device, NoArguments, Replaced, RollBack, Swap as Replace};
use crate::library;

const EXAMPLES: &str = "\
Examples:
  southbridge swap --control /tmp/guest.sock --list
  southbridge swap --control /tmp/guest.sock pm ./piix4-pm.wasm
  southbridge swap --control /tmp/guest.sock --roll-back pm";

/// Replace a device of a running guest, or go back to the one before.
///
/// The new version takes over the state of the old one. If it does not fit, the
/// guest goes on with the old one; the reason is said, and the status is 1.
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    group = ArgGroup::new("what").required(true).args(["slot", "roll_back", "list"])
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
        let replaced: Replaced = match (&self.slot, component, &self.roll_back) {
            (Some(slot), Some(component), _) => {
                let replace = Replace { slot: slot.clone(), component };
                client.execute("__org.southbridge_swap", &replace)?
            }
            (_, _, Some(slot)) => {
                let roll_back = RollBack { slot: slot.clone() };
                client.execute("__org.southbridge_roll-back", &roll_back)?
            }
            _ => return self.show(&mut client, output),
        };
        if self.json {
            output.json(&replaced)?
        } else {
            output.print(&format!("{replaced}\n"))?
        }
        Ok(0)
    }

    fn show(&self, client: &mut Client, output: &Output) -> Result<u8> {
        let devices: Vec<Device> =
            client.execute("__org.southbridge_query-devices", &NoArguments {})?;
        if self.json {
            output.json(&devices)?
        } else {
            output.print(&list(&devices, output))?
        }
        Ok(0)
    }
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
