//! What clients are told of devices.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::slot::{CheckpointSummary, FaultRecord, Status, Swapped};

/// What is in a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Device {
    /// The slot's name.
    pub slot: String,
    /// The device's name, version and build, as people say it.
    pub device: String,
    /// SHA-256 of the component's bytes, in hexadecimal.
    pub hash: String,
    /// Why the device is out of service, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// How old its checkpoint is by the machine's clock, in nanoseconds, if there
    /// is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_age_ns: Option<u64>,
    /// How many of its regions are mapped.
    pub mapped: usize,
    /// Reads by the guest.
    pub reads: u64,
    /// Writes by the guest.
    pub writes: u64,
    /// Calls into the device.
    pub calls: u64,
    /// Time of the calls, in nanoseconds, if it is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_ns: Option<u64>,
    /// Replacements that succeeded.
    pub swaps: u64,
    /// Times it was put back in service.
    pub restores: u64,
    /// Faults.
    pub faults: u64,
    /// Effects that named something undeclared.
    pub violations: u64,
    /// Messages to the log that were dropped.
    pub messages_dropped: u64,
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Device {
    /// What is in each slot of a machine.
    #[must_use]
    pub fn all(machine: &Machine) -> Vec<Self> {
        let now = machine.clock().now();
        machine.status().iter().map(|status| Self::new(status, now)).collect()
    }

    fn new(status: &Status, now: u64) -> Self {
        let Status { name, image, fault, mapped, checkpoint, counts } = status;
        Self {
            slot: name.to_string(),
            device: image.title(),
            hash: image.hash().into(),
            fault: fault.as_ref().map(ToString::to_string),
            checkpoint_age_ns: checkpoint.as_ref().map(|kept| now.saturating_sub(kept.time)),
            mapped: *mapped,
            reads: counts.reads,
            writes: counts.writes,
            calls: counts.calls,
            time_ns: counts.time.map(nanoseconds),
            swaps: counts.swaps,
            restores: counts.restores,
            faults: counts.faults,
            violations: counts.violations,
            messages_dropped: counts.messages_dropped,
        }
    }
}

/// A state that is kept. Displays as one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Kept {
    /// The slot.
    pub slot: String,
    /// The device whose state it is: name, version, build.
    pub device: String,
    /// The machine's clock when it was taken, in nanoseconds.
    pub time: u64,
    /// How many bytes the state has.
    pub bytes: usize,
}

impl Kept {
    pub(super) fn new(slot: &str, summary: &CheckpointSummary) -> Self {
        let CheckpointSummary { image, time, bytes } = summary;
        Self { slot: slot.into(), device: image.title(), time: *time, bytes: *bytes }
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, device, time, bytes } = self;
        write!(f, "{slot}: {device}, {bytes} bytes kept at {time} ns")
    }
}

/// A fault. Displays as one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Faulted {
    /// The slot.
    pub slot: String,
    /// Counts up from 1 in the slot.
    pub number: u64,
    /// The device: name, version, build.
    pub device: String,
    /// The machine's clock, in nanoseconds.
    pub time: u64,
    /// The exported function that was called.
    pub export: String,
    /// What happened.
    pub reason: String,
    /// The WebAssembly functions that were active, innermost first, one a line.
    pub backtrace: String,
}

impl From<&FaultRecord> for Faulted {
    fn from(record: &FaultRecord) -> Self {
        let FaultRecord { number, slot, device, time, fault } = record;
        Self {
            slot: slot.to_string(),
            number: *number,
            device: device.clone(),
            time: *time,
            export: fault.export.into(),
            reason: fault.reason.clone(),
            backtrace: fault.backtrace.clone(),
        }
    }
}

impl fmt::Display for Faulted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, number, device, time, export, reason, .. } = self;
        write!(f, "{slot}: fault {number} at {time} ns: {device}: {export} failed: {reason}")
    }
}

/// A replacement that took place. Displays as one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Replaced {
    /// The slot.
    pub slot: String,
    /// What was plugged: name, version, build.
    pub from: String,
    /// What is plugged now.
    pub to: String,
    /// How long the slot did not answer, in microseconds.
    pub blackout_us: u64,
    /// Whether the state moved over: false if the old device was out of service.
    pub state_moved: bool,
    /// How old the checkpoint was, by the machine's clock in nanoseconds, if the
    /// new device started from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_age_ns: Option<u64>,
}

impl Replaced {
    pub(super) fn new(slot: String, swapped: &Swapped) -> Self {
        Self {
            slot,
            from: swapped.from.title(),
            to: swapped.to.title(),
            blackout_us: u64::try_from(swapped.blackout.as_micros()).unwrap_or(u64::MAX),
            state_moved: swapped.state_moved,
            checkpoint_age_ns: swapped.checkpoint_age.map(nanoseconds),
        }
    }
}

impl fmt::Display for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, from, to, blackout_us, state_moved, checkpoint_age_ns } = self;
        write!(f, "{slot}: {from} -> {to}, blackout {blackout_us} us")?;
        match checkpoint_age_ns {
            _ if *state_moved => Ok(()),
            Some(age) => {
                write!(f, ", with the checkpoint of {:.1?} before", Duration::from_nanos(*age))
            }
            None => {
                f.write_str(", reset: the old device was out of service and had no state to move")
            }
        }
    }
}
