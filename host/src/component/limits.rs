//! How much a device may use.

use std::time::Duration;

/// Core instances of a device: the module itself and the adapters of the
/// canonical ABI are a handful.
pub(super) const INSTANCES: u32 = 16;

/// Linear memories of a device.
pub(super) const MEMORIES: u32 = 1;

/// Tables of a device.
pub(super) const TABLES: u32 = 4;

/// Bytes of a device's stack, for WebAssembly's code. The engine's: all devices have
/// the same. A device calls its child from inside its own call, so several of these
/// must fit on a processor's thread.
pub(super) const STACK: usize = 256 << 10;

/// Bytes that a device may hand to the host in a call: a picture, or its state.
pub(super) const ANSWER: usize = 128 << 20;

/// Bytes that the effects of a call may carry: writes to the guest's memory and to
/// media.
pub(super) const PAYLOAD: usize = 16 << 20;

/// The limits of one device.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a call may take. The granularity is half a millisecond.
    pub deadline: Duration,
    /// Bytes of linear memory.
    pub memory: usize,
    /// Elements of a table.
    pub table: usize,
    /// Effects of a call, with those of the devices on its buses.
    pub effects: usize,
    /// Log messages per second, and as many at once.
    pub messages: u32,
    /// Expiries of timers per second of the guest's time, and as many at once.
    pub timers: u32,
    /// Changes of lines and interrupt messages per second of the guest's time, and as
    /// many at once.
    pub interrupts: u32,
}

impl Limits {
    /// The most elements of a table that a device can be given.
    pub const MOST_TABLE: u32 = 100_000;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Long enough that a busy host does not pass for a looping device.
            deadline: Duration::from_secs(1),
            // A picture of 4096 by 4096 pixels is 48 MiB.
            memory: 64 << 20,
            table: 10_000,
            effects: 4096,
            messages: 100,
            // An interval timer may count 1.19 MHz down to nothing each time, and
            // catches up with what a busy host has missed.
            timers: 4_000_000,
            // A device may raise and lower its line at each access, and a client of
            // qtest makes some millions of accesses while the guest's time stands still.
            interrupts: 20_000_000,
        }
    }
}
