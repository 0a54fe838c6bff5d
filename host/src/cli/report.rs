//! How a guest ended, and what happened until then.

use std::time::Duration;

use serde::Serialize;

use super::output::Output;
use super::table::Table;
use crate::control::qmp::Device;
use crate::guest::{Guest, Outcome};

/// The end of a guest.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Report {
    outcome: &'static str,
    /// The process's exit status.
    pub(super) status: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    exits: u64,
    seconds: f64,
    devices: Vec<Device>,
}

impl Report {
    /// `by_signal` is the exit status for a guest that was ended from outside.
    pub(super) fn new(guest: &Guest, outcome: Outcome, ran: Duration, by_signal: u8) -> Self {
        let (name, status, reason) = match outcome {
            Outcome::Shutdown => ("shutdown", 0, None),
            Outcome::Exit(status) => ("exit", status, None),
            Outcome::Quit => ("quit", by_signal, None),
            Outcome::Failed(reason) => ("failed", 1, Some(reason)),
        };
        Self {
            outcome: name,
            status,
            reason,
            exits: guest.exits(),
            seconds: ran.as_secs_f64(),
            devices: Device::all(guest.machine()),
        }
    }

    /// Why the guest could not go on, if that is how it ended.
    pub(super) fn failure(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// A summary for people.
    pub(super) fn text(&self, output: &Output) -> String {
        let Self { outcome, status, exits, seconds, .. } = self;
        let mut table = Table::new(["SLOT", "DEVICE", ">CALLS", ">SWAPS", ">FAULTS"]);
        for device in self.devices.iter().filter(|device| device.calls > 0) {
            table.row([
                device.slot.clone(),
                device.device.clone(),
                device.calls.to_string(),
                device.swaps.to_string(),
                device.faults.to_string(),
            ]);
        }
        let table = table.text(0, output);
        format!("{outcome} with status {status} after {seconds:.1} s and {exits} exits\n{table}")
    }
}
