//! What the host puts behind the devices of a machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{HostDrive, Stream};
use crate::component::Files;

/// The host's side of devices, by the names in the machine file. What is not there
/// leads nowhere: a stream swallows all bytes, a drive is empty, a ROM holds zeros.
#[derive(Clone)]
pub struct Backends {
    /// Character streams.
    pub streams: BTreeMap<String, Arc<Stream>>,
    /// Drives.
    pub drives: BTreeMap<String, HostDrive>,
    /// Contents of ROMs.
    pub roms: BTreeMap<String, Arc<[u8]>>,
    /// Files that devices hand to the guest, in the order of their names.
    pub files: Files,
}

impl Default for Backends {
    fn default() -> Self {
        Self {
            streams: BTreeMap::new(),
            drives: BTreeMap::new(),
            roms: BTreeMap::new(),
            files: Arc::new([]),
        }
    }
}

impl Backends {
    /// Streams alone.
    #[must_use]
    pub fn of_streams(streams: BTreeMap<String, Arc<Stream>>) -> Self {
        Self { streams, ..Self::default() }
    }
}
