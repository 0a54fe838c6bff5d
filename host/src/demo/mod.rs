//! The demonstration: a guest that drives the devices of a PIIX4 machine while
//! one of them is replaced again and again.
//!
//! The machine, the device that is replaced and the guest's program are named
//! here; this is an application of the host, and the only place in it that
//! knows devices.

pub mod guest;
mod report;
mod script;

pub use report::Report;
pub use script::{Error, run};
