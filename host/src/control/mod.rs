//! How a machine is controlled from outside.
//!
//! - [`qmp`] is QEMU's protocol for whoever runs machines; a [`ControlServer`]
//!   serves it at a Unix socket, to several clients at the same time.
//! - [`monitor`] is what monitors answer, whoever asks.
//! - [`qtest`] takes the place of processors.
//! - [`person`] is what a person sees and does.
//! - [`metrics`] only tells.
//!
//! A client can do no harm to the guest but by the commands themselves, and none to
//! other clients: what it sends has limits, what it does not receive is kept within
//! limits, and the number of connections is limited. A socket belongs to the user
//! who started the guest, who alone can open it.

pub mod metrics;
pub mod monitor;
pub mod person;
pub mod qmp;
pub mod qtest;
mod server;
mod socket;

pub use qmp::ControlServer;
pub use socket::SocketError;
