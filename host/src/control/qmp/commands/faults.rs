//! Southbridge's own: the faults of devices, as a command, and what happens to
//! single devices as events.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::devices::Replaced;
use crate::control::qmp::{Call, Error, Events, Registry};
use storage::ErrorReport;

use crate::machine::DeviceEvent;
use crate::slot::FaultRecord;

pub(super) fn register(registry: &mut Registry) {
    registry.add("__org.southbridge_query-faults", query_faults);
}

/// Arguments of `__org.southbridge_query-faults`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryFaults {
    /// The slot; all if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slot: Option<String>,
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
    /// The version that has answered in its place and is there now, if one has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_to: Option<String>,
}

impl From<&FaultRecord> for Faulted {
    fn from(record: &FaultRecord) -> Self {
        let FaultRecord { number, slot, device, time, fault, rolled_back_to } = record;
        Self {
            slot: slot.to_string(),
            number: *number,
            device: device.clone(),
            time: *time,
            export: fault.export.into(),
            reason: fault.reason.clone(),
            backtrace: fault.backtrace.clone(),
            rolled_back_to: rolled_back_to.clone(),
        }
    }
}

impl fmt::Display for Faulted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, number, device, time, export, reason, rolled_back_to, .. } = self;
        write!(f, "{slot}: fault {number} at {time} ns: {device}: {export} failed: {reason}")?;
        match rolled_back_to {
            Some(device) => write!(f, "; rolled back to {device}"),
            None => Ok(()),
        }
    }
}

fn query_faults(call: &Call<'_>, QueryFaults { slot }: QueryFaults) -> Result<Vec<Faulted>, Error> {
    let faults = call.machine().faults(slot.as_deref()).map_err(Error::generic)?;
    Ok(faults.iter().map(|record| Faulted::from(&**record)).collect())
}

/// A fault as clients hear of it: the backtrace is for those who ask.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct News<'a> {
    slot: &'a str,
    number: u64,
    device: &'a str,
    time: u64,
    export: &'static str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rolled_back_to: Option<&'a str>,
}

/// QEMU's `DEVICE_TRAY_MOVED`.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct TrayMoved<'a> {
    device: &'a str,
    tray_open: bool,
    id: &'a str,
}

/// QEMU's `BLOCK_IO_ERROR`.
#[derive(Serialize)]
struct BlockIoError<'a> {
    device: &'a str,
    operation: &'static str,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    nospace: Option<bool>,
    reason: &'a str,
}

/// Tells clients what happened to a device.
pub(in super::super) fn publish(events: &Events, event: &DeviceEvent) {
    match event {
        DeviceEvent::Faulted(record) => {
            let FaultRecord { number, slot, device, time, fault, rolled_back_to } = &**record;
            let (export, reason) = (fault.export, fault.reason.as_str());
            let rolled_back_to = rolled_back_to.as_deref();
            let (number, time) = (*number, *time);
            let news = News { slot, number, device, time, export, reason, rolled_back_to };
            events.publish_with("__org.southbridge_DEVICE_FAULT", &news);
        }
        DeviceEvent::Replaced { slot, swapped } => {
            let replaced = Replaced::new(slot.to_string(), swapped);
            events.publish_with("__org.southbridge_DEVICE_SWAPPED", &replaced);
        }
        DeviceEvent::Tray { drive, open } => {
            let moved = TrayMoved { device: &drive.label, tray_open: *open, id: drive.device() };
            events.publish_with("DEVICE_TRAY_MOVED", &moved);
        }
        DeviceEvent::DriveFailed(report) => {
            let ErrorReport { drive, operation, action, no_space, can_stop, reason } = report;
            events.publish_with(
                "BLOCK_IO_ERROR",
                &BlockIoError {
                    device: drive,
                    operation: operation.name(),
                    action: action.name(),
                    // QEMU keeps no status of a drive that cannot stop the machine.
                    nospace: can_stop.then_some(*no_space),
                    reason,
                },
            );
        }
        DeviceEvent::Restored { slot, swapped } => {
            let replaced = Replaced::new(slot.to_string(), swapped);
            events.publish_with("__org.southbridge_DEVICE_RESTORED", &replaced);
        }
    }
}
