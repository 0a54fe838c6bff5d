//! Buses: from an address to a device.
//!
//! [`AddressSpace`] is the processor's view: ports and memory, in immutable
//! snapshots that are replaced when a device moves a region. [`ChildBuses`] is
//! a bridge's view of the devices on the buses it carries.

mod children;
mod map;
mod ports;
mod space;
#[cfg(test)]
mod tests;

pub use children::{BusTable, ChildBuses, ConfigurationSpace};
pub use map::{Mapping, Overlap};
pub use space::{AddressSpace, SpaceKind};
