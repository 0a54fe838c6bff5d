//! A machine for the unit tests of one device.
//!
//! [`Bench`] holds a device and a [`Fake`] machine around it. Accesses go
//! through the same rules as in the host (crate `access`), effects are recorded,
//! and time moves when the test says so.

mod action;
mod bench;
mod children;
mod machine;
mod memory;
mod spoil;
mod storage;
#[cfg(test)]
mod tests;
pub mod trace;

pub use action::Action;
pub use bench::{Bench, override_properties};
pub use children::ConfigurationSpace;
pub use machine::{Effect, Fake};
pub use memory::Bytes;
pub use spoil::Spoilt;
pub use storage::{DriveRequest, Transfer};
pub use vmstate::{Structure, Value};
