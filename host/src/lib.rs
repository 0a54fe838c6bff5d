//! Southbridge: a device-model host.
//!
//! KVM runs the guest's processors; every device the guest sees is a
//! WebAssembly component in a sandbox of its own, and can be replaced while the
//! guest runs. The rooms of the house, from the ground up:
//!
//! - [`component`]: a device's code: engine, linking, limits, compiled-code cache;
//! - [`slot`]: where one device is plugged: calls, effects out, swap, faults;
//! - [`author`]: devices that are written elsewhere: a crate to begin with, its build;
//! - [`mod@bench`]: one device by itself: checked against the contract, fuzzed, replayed;
//! - [`bus`]: from an address to a slot;
//! - [`vm`]: KVM: memory, processors, interrupts, boot images;
//! - [`machine`]: machine files become slots, buses and wires; applies effects;
//! - [`chardev`]: what monitors and serial ports are attached to on the host;
//! - [`migrate`]: the devices' state in QEMU's stream, both ways;
//! - [`guest`]: a machine with processors, and its life;
//! - [`control`]: the socket through which a running guest is asked and changed;
//! - [`demo`]: a guest that shows it all;
//! - [`cli`]: the command line.
//!
//! [`clock`], [`builtin`], [`library`] and [`log_limit`] are what several rooms use.

pub mod author;
pub mod bench;
pub mod builtin;
pub mod bus;
pub mod chardev;
pub mod cli;
pub mod clock;
pub mod component;
pub mod control;
pub mod demo;
pub mod guest;
pub mod images;
pub mod library;
pub mod log_limit;
pub mod machine;
pub mod migrate;
pub mod slot;
pub mod vm;
