//! What happens to a device, kept while the guest runs.

use super::{Error, Machine};
use crate::slot::{RecordError, Recording};

impl Machine {
    /// Keeps the last calls of the device in a slot from now on
    /// ([`Slot::record`](crate::slot::Slot::record)).
    ///
    /// # Errors
    /// There is no such slot, or its device cannot be recorded.
    pub fn record(&self, slot: &str, calls: usize) -> Result<(), Error> {
        self.slot(slot)?.record(calls).map_err(|source| not_recorded(slot, source))
    }

    /// The calls that are kept.
    ///
    /// # Errors
    /// There is no such slot, or none are kept.
    pub fn recording(&self, slot: &str) -> Result<Recording, Error> {
        self.slot(slot)?.recording().map_err(|source| not_recorded(slot, source))
    }

    /// Keeps no calls any more.
    ///
    /// # Errors
    /// There is no such slot, or none were kept.
    pub fn end_record(&self, slot: &str) -> Result<(), Error> {
        match self.slot(slot)?.end_record() {
            true => Ok(()),
            false => Err(not_recorded(slot, RecordError::NotRecorded)),
        }
    }
}

fn not_recorded(slot: &str, source: RecordError) -> Error {
    Error::Record { slot: slot.into(), source }
}
