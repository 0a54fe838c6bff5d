//! What happens to single devices, for those who watch a machine.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Error, GivenDrive, Machine};
use crate::component::{Effects, SlotId};
use crate::slot::{CheckpointError, CheckpointSummary, FaultRecord, Slot, Status, Swapped};

/// Something that happened to a device.
#[derive(Clone, Debug)]
pub enum DeviceEvent {
    /// It failed: it is out of service, and the machine runs on.
    Faulted(Arc<FaultRecord>),
    /// It was replaced.
    Replaced {
        /// The slot's name.
        slot: Arc<str>,
        /// By what, and how.
        swapped: Swapped,
    },
    /// The guest has opened or closed the tray of a drive.
    Tray {
        /// The drive.
        drive: GivenDrive,
        /// Whether it is open.
        open: bool,
    },
    /// A request to a drive has failed.
    DriveFailed(storage::ErrorReport),
    /// It was put back in service from its checkpoint.
    Restored {
        /// The slot's name.
        slot: Arc<str>,
        /// From which, and how.
        swapped: Swapped,
    },
}

/// Who is told of devices: called on the thread that applies the effects, a
/// processor's for instance, with no device locked. It may ask the machine, but
/// must neither replace devices nor wait for anybody who does.
pub type DeviceListener = Arc<dyn Fn(&DeviceEvent) + Send + Sync>;

/// Those who are told.
#[derive(Default)]
pub(super) struct Listeners(Mutex<Vec<DeviceListener>>);

impl Listeners {
    fn add(&self, listener: DeviceListener) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    fn tell(&self, event: &DeviceEvent) {
        let listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        listeners.iter().for_each(|listener| listener(event));
    }
}

impl Machine {
    /// From now on tells `listener` what happens to devices.
    pub fn listen(&self, listener: DeviceListener) {
        self.listeners.add(listener);
    }

    /// What is in each slot.
    #[must_use]
    pub fn status(&self) -> Vec<Status> {
        self.slots.iter().map(|slot| slot.status()).collect()
    }

    /// The last faults of a slot, or of all, in the order in which the machine
    /// file has them and then of time.
    ///
    /// # Errors
    /// There is no such slot.
    pub fn faults(&self, slot: Option<&str>) -> Result<Vec<Arc<FaultRecord>>, Error> {
        Ok(match slot {
            Some(name) => self.slot(name)?.faults(),
            None => self.slots.iter().flat_map(|slot| slot.faults()).collect(),
        })
    }

    /// Measures from now on how long the calls of all devices take, or does so no
    /// more: two readings of the host's clock for each call.
    pub fn measure_time(&self, measure: bool) {
        self.slots.iter().for_each(|slot| slot.measure_time(measure));
    }

    /// How many log messages about what is below the devices were dropped, because
    /// there were too many.
    #[must_use]
    pub fn board_messages_dropped(&self) -> u64 {
        self.board.messages_dropped()
    }

    /// Keeps the whole state of the device in a slot, for the case that it fails.
    /// The guest may run meanwhile.
    ///
    /// # Errors
    /// There is no such slot, or its device has no state to keep; what was kept
    /// before stays.
    pub fn checkpoint(&self, slot: &str) -> Result<CheckpointSummary, Error> {
        let slot = self.slot(slot)?;
        self.keep(slot)
    }

    /// Keeps the states of all devices, each as of its own moment.
    ///
    /// # Errors
    /// For each slot whether there is no state to keep.
    pub fn checkpoint_all(&self) -> Vec<(Arc<str>, Result<CheckpointSummary, Error>)> {
        self.slots.iter().map(|slot| (slot.name().clone(), self.keep(slot))).collect()
    }

    fn keep(&self, slot: &Slot) -> Result<CheckpointSummary, Error> {
        let mut effects = Effects::new();
        let result = slot.checkpoint(&mut effects);
        self.apply(&mut effects);
        result.map_err(|source: CheckpointError| Error::Checkpoint {
            slot: slot.name().clone(),
            source,
        })
    }

    /// Drops the state that is kept in a slot. Returns whether there was one.
    ///
    /// # Errors
    /// There is no such slot.
    pub fn forget_checkpoint(&self, slot: &str) -> Result<bool, Error> {
        Ok(self.slot(slot)?.forget_checkpoint())
    }

    /// Puts a device that has failed back in service, with the state that is kept
    /// in its slot. The guest may run meanwhile.
    ///
    /// # Errors
    /// There is no such slot, its device has not failed, or it does not take the
    /// state: all is as it was then.
    pub fn restore(&self, slot: &str) -> Result<Swapped, Error> {
        let slot = self.slot(slot)?;
        let _exchanging = self.exchanging();
        let mut effects = Effects::new();
        let result = slot.restore(&mut effects);
        self.apply(&mut effects);
        let name = slot.name().clone();
        let swapped = result
            .map_err(|source| Error::Restore { slot: name.clone(), source: Box::new(source) })?;
        self.tell_listeners(&DeviceEvent::Restored { slot: name, swapped: swapped.clone() });
        Ok(swapped)
    }

    /// A device's call has failed, and what follows from that is done.
    pub(super) fn faulted(&self, slot: SlotId, number: u64) {
        if let Some(record) = self.by_id(slot).and_then(|slot| slot.fault(number)) {
            self.tell_listeners(&DeviceEvent::Faulted(record));
        }
    }

    /// Tells of an event, the log too.
    pub(super) fn tell_listeners(&self, event: &DeviceEvent) {
        match event {
            DeviceEvent::Faulted(record) => tracing::error!(
                device = &*record.slot,
                image = record.device,
                export = record.fault.export,
                reason = record.fault.reason,
                backtrace = record.fault.backtrace,
                time = record.time,
                "device fault: out of service"
            ),
            DeviceEvent::Replaced { slot, swapped } => tracing::info!(
                device = &**slot,
                from = swapped.from.title(),
                to = swapped.to.title(),
                blackout_us = swapped.blackout.as_micros() as u64,
                checkpoint_age_ns = swapped.checkpoint_age.map(|age| age.as_nanos() as u64),
                "device replaced"
            ),
            DeviceEvent::Tray { drive, open } => {
                tracing::info!(drive = drive.label, open, "tray moved");
            }
            DeviceEvent::DriveFailed(report) => tracing::error!(
                drive = report.drive,
                operation = report.operation.name(),
                action = report.action.name(),
                reason = report.reason,
                "a drive has failed"
            ),
            DeviceEvent::Restored { slot, swapped } => tracing::info!(
                device = &**slot,
                image = swapped.to.title(),
                blackout_us = swapped.blackout.as_micros() as u64,
                checkpoint_age_ns = swapped.checkpoint_age.map(|age| age.as_nanos() as u64),
                "device restored"
            ),
        }
        self.listeners.tell(event);
    }
}

#[cfg(test)]
mod tests;
