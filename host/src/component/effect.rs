//! What a device did during a call.

use super::{Mode, Request, WakeupReason};

/// The number of a slot in its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId(pub u32);

/// One effect; the contract's interfaces say what each means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// `lines.set`, with a level other than before.
    Line {
        /// The output line.
        line: u32,
        /// Its new level.
        level: bool,
    },
    /// `regions.map`, with another place than before.
    Map {
        /// The region.
        region: u32,
        /// Its first address.
        base: u64,
        /// Its priority over regions it overlaps.
        priority: u8,
    },
    /// `regions.unmap` of a mapped region.
    Unmap {
        /// The region.
        region: u32,
    },
    /// `timers.arm`.
    Arm {
        /// The timer.
        timer: u32,
        /// Virtual time in nanoseconds.
        deadline: u64,
    },
    /// `timers.disarm` of an armed timer.
    Disarm {
        /// The timer.
        timer: u32,
    },
    /// `ram-windows.set`, with another mode than before.
    Window {
        /// The window.
        window: u32,
        /// Its new mode.
        mode: Mode,
    },
    /// `streams.put`.
    Put {
        /// The stream.
        stream: u32,
        /// The byte.
        byte: u8,
    },
    /// `streams.ready`.
    Ready {
        /// The stream.
        stream: u32,
    },
    /// `power.ask`.
    Power(Request),
    /// `power.exit`.
    Exit {
        /// The process's exit status.
        status: u8,
    },
    /// `power.enable-wakeup`.
    EnableWakeup {
        /// The reason.
        reason: WakeupReason,
        /// Whether it may wake the machine.
        enabled: bool,
    },
    /// `power.wake`.
    Wake(WakeupReason),
    /// A call failed: the device is out of service. Recorded by its slot, which
    /// knows the fault by its number.
    Faulted {
        /// Counts up over the life of the slot.
        number: u64,
    },
}

/// An effect with its place in the order of its slot's effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The slot of the device that recorded it.
    pub slot: SlotId,
    /// Counts up over the life of the slot. Two processors may apply effects of
    /// one slot at the same time; the number tells which came first.
    pub sequence: u64,
    /// The effect.
    pub effect: Effect,
}

/// Effects of one call and of the calls it led to. Callers keep and reuse one,
/// so that an access allocates nothing.
pub type Effects = Vec<Recorded>;
