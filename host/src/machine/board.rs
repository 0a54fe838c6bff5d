//! What lies below the devices: processors' pins and RAM.

use std::ops::Range;

use super::file::CpuPin;
use crate::component::{Block, GuestRam, Mode};

/// Where lines end that leave the devices, and who switches RAM windows. KVM is
/// behind it in a guest; a test can look at what arrives.
pub trait Board: Send + Sync {
    /// Drives an input of the interrupt controllers.
    fn set_gsi(&self, gsi: u32, level: bool);

    /// Drives a pin of the processors.
    fn set_cpu_pin(&self, pin: CpuPin, level: bool);

    /// Sets modes of RAM windows, which have the numbers of
    /// [`Plan::windows`](super::Plan::windows).
    fn set_windows(&self, changes: &[(usize, Mode)]);

    /// Says at which addresses in [`WINDOW_RANGE`] devices answer if a window
    /// is in mode `bus`: all of them.
    fn set_claims(&self, claims: &[Range<u64>]);

    /// The guest's memory, as devices reach it.
    fn ram(&self) -> GuestRam {
        GuestRam::default()
    }

    /// Has a block of a device's memory answer from `base` on, at no address if
    /// there is none. `number` tells the machine's blocks apart.
    fn map_block(&self, _number: usize, _block: &Block, _read_only: bool, _base: Option<u64>) {}

    /// Delivers a message-signalled interrupt.
    fn send_message(&self, _address: u64, _data: u32) {}

    /// How many messages to the log were dropped, because devices had caused too
    /// many.
    fn messages_dropped(&self) -> u64 {
        0
    }
}

/// Where RAM windows can be: from 640 KiB to 1 MiB.
pub const WINDOW_RANGE: Range<u64> = 0xa_0000..0x10_0000;

/// A board with nothing on it.
pub struct Unconnected;

impl Board for Unconnected {
    fn set_gsi(&self, _gsi: u32, _level: bool) {}

    fn set_cpu_pin(&self, _pin: CpuPin, _level: bool) {}

    fn set_windows(&self, _changes: &[(usize, Mode)]) {}

    fn set_claims(&self, _claims: &[Range<u64>]) {}
}
