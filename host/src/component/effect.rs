//! What a device did during a call.

use std::sync::Arc;

use super::{Mode, Request, WakeupReason};

/// The number of a slot in its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId(pub u32);

/// One effect; the contract's interfaces say what each means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// `lines.set`.
    Line {
        /// The output line.
        line: u32,
        /// Its new level.
        level: bool,
    },
    /// An output of a device that is out of service goes low if it is high.
    Release {
        /// The output line.
        line: u32,
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
    /// `dma.write`
    DmaWrite {
        /// A physical address of the guest.
        address: u64,
        /// What is written there.
        data: Arc<[u8]>,
    },
    /// `dma.message`
    Message {
        /// The address, which says for which processors it is.
        address: u64,
        /// The data, which says what they are told.
        data: u32,
    },
    /// `files.copy-to-memory`
    CopyFile {
        /// The file.
        file: u32,
        /// Where in the file, in bytes.
        offset: u64,
        /// A physical address of the guest.
        address: u64,
        /// How many bytes.
        length: u32,
    },
    /// A request to a drive.
    Drive {
        /// The drive.
        drive: u32,
        /// The device's mark, for the end.
        tag: u32,
        /// What it is.
        request: storage::Request,
    },
    /// `storage.tray`
    Tray {
        /// The drive.
        drive: u32,
        /// Whether its tray is open.
        open: bool,
    },
    /// `storage.lock`
    Lock {
        /// The drive.
        drive: u32,
        /// Whether its medium is to stay.
        locked: bool,
    },
    /// A call failed: the device is out of service. Recorded by its slot, which
    /// knows the fault by its number.
    Faulted {
        /// Counts up over the life of the slot.
        number: u64,
    },
}

impl Effect {
    /// Whether it sets an output, as which it can be found again.
    pub(crate) const fn is_output(&self) -> bool {
        matches!(
            self,
            Self::Line { .. }
                | Self::Release { .. }
                | Self::Map { .. }
                | Self::Unmap { .. }
                | Self::Arm { .. }
                | Self::Disarm { .. }
                | Self::Window { .. }
        )
    }

    /// Whether it goes to a drive.
    pub(super) const fn is_of_drive(&self) -> bool {
        matches!(self, Self::Drive { .. } | Self::Tray { .. } | Self::Lock { .. })
    }

    /// How many bytes it carries.
    pub(crate) fn payload(&self) -> usize {
        match self {
            Self::DmaWrite { data, .. } => data.len(),
            Self::Drive { request, .. } => request.weight(),
            _ => 0,
        }
    }
}

/// An effect with its place in the order of its slot's effects.
#[derive(Clone, Debug, PartialEq, Eq)]
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
