//! QEMU's device state on the wire.
//!
//! This crate knows the encoding and nothing else: it does no I/O, holds no
//! `unsafe`, and builds without the standard library, so that devices in their
//! sandboxes and the host share one definition of every byte.

#![no_std]

extern crate alloc;

mod wire;

pub use wire::{Reader, SUBSECTION, Truncated, Writer};
