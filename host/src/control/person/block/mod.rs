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

/// The drives that the operator has given the guest, in that order.
fn attached(machine: &Machine) -> Vec<&MachineDrive> {
    let mut drives: Vec<_> = machine.drives().iter().filter(|drive| drive.attached).collect();
    drives.sort_by_key(|drive| drive.given.number);
    drives
}

/// The names of the image and of its file, in the manner of QEMU's for those that
/// nobody has named.
fn node_names(number: usize) -> (String, String) {
    (format!("#block{number}00"), format!("#block{number}01"))
}
