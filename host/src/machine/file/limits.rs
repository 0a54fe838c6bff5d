//! What a machine file says of how much a device may use.

use std::time::Duration;

use serde::Serialize;

use crate::component::Limits;

/// A limit that a machine file can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// Milliseconds that a call may take.
    DeadlineMs,
    /// MiB of linear memory.
    MemoryMib,
    /// Effects of a call.
    Effects,
    /// Log messages per second.
    Messages,
    /// Expiries of timers per second of the guest's time.
    Timers,
    /// Changes of lines and interrupt messages per second of the guest's time.
    Interrupts,
    /// Elements of a table.
    TableElements,
}

impl Limit {
    pub(super) const ALL: [Self; 7] = [
        Self::DeadlineMs,
        Self::MemoryMib,
        Self::Effects,
        Self::Messages,
        Self::Timers,
        Self::Interrupts,
        Self::TableElements,
    ];

    /// The name in machine files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DeadlineMs => "deadline-ms",
            Self::MemoryMib => "memory-mib",
            Self::Effects => "effects",
            Self::Messages => "messages",
            Self::Timers => "timers",
            Self::Interrupts => "interrupts",
            Self::TableElements => "table-elements",
        }
    }

    /// The limit of that name. The error is a phrase.
    pub(in crate::machine) fn named(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|limit| limit.name() == name);
        found.ok_or_else(|| {
            format!("no limit {name:?}; there is {}", Self::ALL.map(Self::name).join(", "))
        })
    }

    /// A value for it. The error is a phrase.
    pub(in crate::machine) fn value(self, number: u64) -> Result<u32, String> {
        let value = u32::try_from(number).ok().filter(|n| (1..=self.most()).contains(n));
        value.ok_or_else(|| format!("{number} is out of range; 1 to {} expected", self.most()))
    }

    /// The most that can be set; the least is 1.
    const fn most(self) -> u32 {
        match self {
            Self::DeadlineMs => 60_000,
            // The addresses of a 32-bit device.
            Self::MemoryMib => 4096,
            Self::Effects => 1 << 20,
            Self::Messages | Self::Timers | Self::Interrupts => 1_000_000_000,
            Self::TableElements => Limits::MOST_TABLE,
        }
    }

    /// Sets the limit.
    pub(in crate::machine) fn set(self, limits: &mut Limits, value: u32) {
        match self {
            Self::DeadlineMs => limits.deadline = Duration::from_millis(value.into()),
            Self::MemoryMib => limits.memory = (value as usize) << 20,
            Self::Effects => limits.effects = value as usize,
            Self::Messages => limits.messages = value,
            Self::Timers => limits.timers = value,
            Self::Interrupts => limits.interrupts = value,
            Self::TableElements => limits.table = value as usize,
        }
    }
}
