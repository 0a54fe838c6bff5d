//! Why a machine cannot be built or changed.

use std::sync::Arc;

use super::file;
use crate::bus::Overlap;
use crate::component;
use crate::library::LibraryError;
use crate::slot::{CheckpointError, RecordError, SwapError};

/// Why a machine cannot be built or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The machine file is wrong.
    #[error(transparent)]
    File(#[from] file::Error),
    /// A component of the machine is missing or unusable.
    #[error("{place}: device {device}: {source}")]
    Component {
        /// File and line of the device.
        place: String,
        /// The device's id.
        device: String,
        /// What is wrong.
        source: Box<LibraryError>,
    },
    /// A device cannot be plugged in.
    #[error("{place}: device {device}: component {component}: {source}")]
    Plug {
        /// File and line of the device.
        place: String,
        /// The device's id.
        device: String,
        /// Its component.
        component: String,
        /// What is wrong.
        source: Box<component::Error>,
    },
    /// A component is not the one that the machine file names.
    #[error(
        "{place}: device {device}: component {component} has the SHA-256 {found}, {expected} \
         expected: it is not the file that was pinned"
    )]
    Pinned {
        /// File and line of the hash.
        place: String,
        /// The device's id.
        device: String,
        /// Its component.
        component: String,
        /// The component's hash.
        found: String,
        /// The hash in the machine file.
        expected: String,
    },
    /// Two devices answer at the same address.
    #[error(
        "devices {} and {} overlap: region {} and region {} both answer at {:#x}; move one of them",
        .0.first.0, .0.second.0, .0.first.1, .0.second.1, .0.address
    )]
    Overlap(Overlap),
    /// There is no slot of that name.
    #[error("no slot {name:?}; this machine has {}", .slots.join(", "))]
    NoSlot {
        /// The name that was asked for.
        name: String,
        /// The names there are.
        slots: Vec<String>,
    },
    /// A device was not replaced.
    #[error("slot {slot}: {source}; the old version stays")]
    Swap {
        /// The slot.
        slot: String,
        /// Why not.
        source: Box<SwapError>,
    },
    /// A device's state was not kept.
    #[error("slot {slot}: {source}")]
    Checkpoint {
        /// The slot.
        slot: Arc<str>,
        /// Why not.
        source: CheckpointError,
    },
    /// A device is not recorded.
    #[error("slot {slot}: {source}")]
    Record {
        /// The slot.
        slot: Arc<str>,
        /// Why not.
        source: RecordError,
    },
    /// A device was not put back in service.
    #[error("slot {slot}: {source}; nothing has changed")]
    Restore {
        /// The slot.
        slot: Arc<str>,
        /// Why not.
        source: Box<SwapError>,
    },
    /// A device refuses a saved state.
    #[error("slot {slot}: {reason}")]
    State {
        /// The slot.
        slot: Arc<str>,
        /// Why.
        reason: String,
    },
    /// The host cannot do what the machine needs.
    #[error("{0}")]
    Host(String),
}
