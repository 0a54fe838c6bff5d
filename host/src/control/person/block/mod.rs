//! Drives: what is in them, what they have done, and another medium.

mod exchange;
mod query;
mod statistics;
mod text;

pub use exchange::{Change, ReadOnlyMode, change, eject};
pub use query::{Block, CacheInfo, ImageInfo, Inserted, query};
pub use statistics::{BlockStats, DeviceStats, statistics};
pub use text::{blocks as text, nodes as nodes_text, statistics as statistics_text};

use crate::machine::{Machine, MachineDrive};

/// The drives that the operator has given the guest, with their numbers.
fn attached(machine: &Machine) -> impl Iterator<Item = (usize, &MachineDrive)> {
    machine.drives().iter().filter(|drive| drive.attached).enumerate()
}

/// The names of the image and of its file, in the manner of QEMU's for those that
/// nobody has named.
fn node_names(number: usize) -> (String, String) {
    (format!("#block{number}00"), format!("#block{number}01"))
}
