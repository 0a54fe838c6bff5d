//! Streams QEMU wrote, streams of our own, and what is no stream.

#![allow(missing_docs, reason = "tests have no users")]

mod data;
mod description;
mod ending;
mod framing;
mod golden;
mod memory;
mod parts;
mod properties;
mod refusals;
mod xl;
