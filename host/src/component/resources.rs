//! What a slot gives to its device of the world outside.

use std::sync::Arc;

use super::{Block, Children, GuestRam, NoChildren};

/// Named data for the guest, in the order of the names' bytes.
pub type Files = Arc<[(String, Arc<[u8]>)]>;

/// What the imports of a device reach.
#[derive(Clone)]
pub struct Resources {
    /// The devices on its buses.
    pub children: Arc<dyn Children>,
    /// The guest's memory.
    pub ram: GuestRam,
    /// Its blocks of memory, in the order of its description.
    pub memories: Arc<[Block]>,
    /// The files that it hands to the guest.
    pub files: Files,
}

impl Resources {
    /// For a device that is in no machine: nothing is on its buses, there is no
    /// guest, and its blocks of memory read as zeros.
    #[must_use]
    pub fn none() -> Self {
        Self {
            children: Arc::new(NoChildren),
            ram: GuestRam::default(),
            memories: Arc::new([]),
            files: Arc::new([]),
        }
    }
}
