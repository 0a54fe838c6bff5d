//! `southbridge swap`.

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args};
use serde::Serialize;

use super::Result;
use super::output::Output;
use super::paths::absolute;
use super::table::Table;
use crate::control::qmp::{
    Checkpoint, Client, Commit, Device, Done, Faulted, ForgetCheckpoint, Kept, NoArguments,
    QueryFaults, Replaced, Restore, RollBack, Shadow, ShadowNews, ShadowOf, Swap as Replace,
};
use crate::library;

/// How often a shadow is looked at.
const LOOK: Duration = Duration::from_millis(100);

const EXAMPLES: &str = "\
Examples:
  southbridge swap --control /tmp/guest.sock --list
  southbridge swap --control /tmp/guest.sock pm ./piix4-pm.wasm
  southbridge swap --control /tmp/guest.sock --shadow pm ./piix4-pm.wasm
  southbridge swap --control /tmp/guest.sock --commit pm --guard 60
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
        "slot", "commit", "end_shadow", "roll_back", "checkpoint", "forget_checkpoint",
        "restore", "faults", "list"
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

    /// Have the new version run beside the device first, without the guest seeing it,
    /// and wait until both have done the same or something has differed, which is said
    /// with what came before. Nothing is replaced.
    #[arg(long, requires = "slot", conflicts_with = "guard")]
    shadow: bool,

    /// How many accesses of the guest are to agree.
    #[arg(long, value_name = "COUNT", default_value_t = 100_000, requires = "shadow")]
    accesses: u64,

    /// Replace this slot's device by its shadow, which has agreed.
    #[arg(long, value_name = "SLOT")]
    commit: Option<String>,

    /// End the shadow of this slot.
    #[arg(long, value_name = "SLOT")]
    end_shadow: Option<String>,

    /// Keep the old version for that long: should the new one fail, the old one answers
    /// in its place and is back.
    #[arg(long, value_name = "SECONDS", value_parser = super::args::seconds)]
    guard: Option<Duration>,

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
        let component = self.component.as_deref().map(understood).transpose()?;
        let mut client = Client::connect(&self.control)?;
        let guard_ms = self.guard.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        if let (Some(slot), Some(component)) = (&self.slot, component) {
            if self.shadow {
                let accesses = self.accesses;
                let shadow = Shadow { slot: slot.clone(), component, accesses };
                return self.accompany(&mut client, &shadow, output);
            }
            let replace = Replace { slot: slot.clone(), component, guard_ms };
            self.exchange(&mut client, "__org.southbridge_swap", &replace, output)?;
        } else if let Some(slot) = self.commit.clone() {
            let commit = Commit { slot, guard_ms };
            self.exchange(&mut client, "__org.southbridge_commit", &commit, output)?;
        } else if let Some(slot) = self.end_shadow.clone() {
            let done: Done = client.execute("__org.southbridge_end-shadow", &ShadowOf { slot })?;
            self.show(&done, output, String::new)?;
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

    /// Begins a shadow, and waits for what becomes of it. The status is 1 if it has not
    /// agreed.
    fn accompany(&self, client: &mut Client, shadow: &Shadow, output: &Output) -> Result<u8> {
        client.execute::<_, Done>("__org.southbridge_shadow", shadow)?;
        let which = ShadowOf { slot: shadow.slot.clone() };
        loop {
            let news: ShadowNews = client.execute("__org.southbridge_query-shadow", &which)?;
            if !news.is_running() {
                self.show(&news, output, || format!("{news}\n"))?;
                return Ok(u8::from(!news.has_agreed()));
            }
            std::thread::sleep(LOOK);
        }
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

/// The reference as it is to be understood in the guest's process.
fn understood(reference: &str) -> Result<String> {
    if library::is_file(reference) { absolute(reference.as_ref()) } else { Ok(reference.into()) }
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
