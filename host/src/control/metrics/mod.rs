//! What a machine does, for Prometheus: its text format over HTTP, at a loopback
//! address or a Unix socket.
//!
//! Nothing is counted for it but what is counted anyway: a scrape asks each slot
//! once. A client can do no harm: the head of a request has a longest length and
//! a time in which it must be complete, each connection serves one request, and
//! the number of connections is limited.

mod address;
mod collect;
mod connection;
mod http;
mod server;
#[cfg(test)]
mod tests;
mod text;

pub use address::MetricsAddress;
pub use collect::Source;
pub use server::{MetricsError, MetricsServer};
