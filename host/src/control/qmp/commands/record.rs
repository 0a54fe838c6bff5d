//! Southbridge's own: what happens to a device, kept while the guest runs, and written
//! to a file that `southbridge device replay` reads.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::devices::write;
use crate::bench::Record as Text;
use crate::control::qmp::{Call, Done, Error, Registry};

pub(super) fn register(registry: &mut Registry) {
    registry.add("__org.southbridge_record", record);
    registry.add("__org.southbridge_save-record", save_record);
    registry.add("__org.southbridge_end-record", end_record);
}

/// Arguments of `__org.southbridge_record`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The slot.
    pub slot: String,
    /// How many calls are kept at least, once so many have been made.
    pub calls: u32,
}

fn record(call: &Call<'_>, Record { slot, calls }: Record) -> Result<Done, Error> {
    call.machine().record(&slot, calls as usize).map_err(Error::generic)?;
    Ok(Done {})
}

/// Arguments of `__org.southbridge_save-record`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaveRecord {
    /// The slot.
    pub slot: String,
    /// The file, which is overwritten.
    pub filename: String,
}

/// A record that was written. Displays as a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedRecord {
    /// The file.
    pub filename: String,
    /// The device's name, version and build.
    pub device: String,
    /// How many calls the record has.
    pub calls: usize,
    /// The file's size.
    pub bytes: usize,
}

impl fmt::Display for SavedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { filename, device, calls, bytes } = self;
        write!(f, "{filename}: {calls} calls of {device}, {bytes} bytes")
    }
}

fn save_record(call: &Call<'_>, given: SaveRecord) -> Result<SavedRecord, Error> {
    let SaveRecord { slot, filename } = given;
    let recording = call.machine().recording(&slot).map_err(Error::generic)?;
    let text = Text::of_recording(&recording).text(recording.image.description());
    write(filename.as_ref(), text.as_bytes())
        .map_err(|error| Error::generic(format_args!("{filename}: cannot write: {error}")))?;
    let (device, calls) = (recording.image.title(), recording.calls());
    Ok(SavedRecord { filename, device, calls, bytes: text.len() })
}

/// Arguments of `__org.southbridge_end-record`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndRecord {
    /// The slot.
    pub slot: String,
}

fn end_record(call: &Call<'_>, EndRecord { slot }: EndRecord) -> Result<Done, Error> {
    call.machine().end_record(&slot).map_err(Error::generic)?;
    Ok(Done {})
}
