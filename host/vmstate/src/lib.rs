//! QEMU's device state on the wire.
//!
//! This crate knows the encoding and nothing else: it does no I/O, holds no
//! `unsafe`, and builds without the standard library, so that devices in their
//! sandboxes and the host share one definition of every byte.
//!
//! What a device needs, the primitive encodings, is always there. Feature
//! `stream` adds what a host needs: whole streams, their layouts, decoded
//! sections, and `xl save` files.
#![cfg_attr(
    feature = "stream",
    doc = "
* [`Scanner`] takes a stream of any size piece by piece, in constant memory, and
  ends in a [`Stream`]: its head, where its guest memory lies, and every device
  section. What was read is written back byte for byte.
* [`Reframer`] gives the guest memory of a stream the frame of another machine type.
* [`Layouts`] say what sections consist of: the description a stream carries, or
  those built in. They also find where a section ends when the stream does not
  say, by looking for the one reading that fits it as a whole.
* [`Structure`] is a section decoded: named fields with offsets and values.
* [`describe`] writes the description of sections that a stream carries.
* [`xl`] finds and replaces the device state inside a file `xl save` wrote.
"
)]
#![cfg_attr(not(feature = "stream"), no_std)]

extern crate alloc;

#[cfg(feature = "stream")]
mod describe;
#[cfg(feature = "stream")]
mod error;
#[cfg(feature = "stream")]
mod layout;
#[cfg(feature = "stream")]
pub mod ram;
#[cfg(feature = "stream")]
mod stream;
#[cfg(feature = "stream")]
mod tree;
#[cfg(feature = "stream")]
mod walk;
mod wire;
#[cfg(feature = "stream")]
pub mod xl;

#[cfg(feature = "stream")]
pub use describe::describe;
#[cfg(feature = "stream")]
pub use error::{Error, Problem};
#[cfg(feature = "stream")]
pub use layout::{Layouts, NoLayout};
#[cfg(feature = "stream")]
pub use stream::{Configuration, Devices, Framing, Live, Reframer, Scanner, Section, Stream};
#[cfg(feature = "stream")]
pub use tree::{Field, Structure, Subsection, Unencodable, Value};
#[cfg(feature = "stream")]
pub use walk::Reading;
pub use wire::{Reader, SUBSECTION, Truncated, Writer};
