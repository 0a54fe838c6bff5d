//! The control socket of a running guest.
//!
//! A Unix stream socket that speaks JSON, one object per line each way, in the
//! shape of QMP: `{"execute": "swap", "arguments": {...}, "id": ...}` is
//! answered by `{"return": {...}, "id": ...}` or
//! `{"error": {"class": "...", "desc": "..."}, "id": ...}`. The `id` is
//! optional, may be anything and comes back as it is. The commands are those of
//! [`Command`].
//!
//! A client can do no harm to the guest but by the commands themselves: lines
//! have a longest length, a line must be completed within a time, and the number
//! of connections is limited. The socket belongs to the user who started the
//! guest, who alone can open it.
//!
//! [`qtest`] is another way to control a machine, one without processors.
//! [`monitor`] is what monitors answer, whoever asks.

mod client;
mod command;
mod line;
pub mod monitor;
mod protocol;
pub mod qtest;
mod save;
mod server;
mod socket;
mod subject;
#[cfg(test)]
mod tests;

pub use client::{Client, ClientError};
pub use protocol::{Command, Device, Problem, Replaced, Saved};
pub use server::ControlServer;
pub use socket::SocketError;
pub use subject::Subject;
