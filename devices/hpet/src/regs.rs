//! Registers, with the specification's names and their places.

use bitfield_struct::bitfield;

/// General Capability and ID Register, without the number of timers: revision 1,
/// 64 bits, legacy replacement, Intel, and a period of 10 ns in femtoseconds.
pub(crate) const CAPABILITIES: u64 = 0x0098_9680_8086_a001;

/// One tick of the main counter, in nanoseconds.
pub(crate) const PERIOD: u64 = 10;

/// The registers of 64 bits.
pub(crate) const CAPABILITY: u64 = 0x000;
pub(crate) const CONFIGURATION: u64 = 0x010;
pub(crate) const STATUS: u64 = 0x020;
pub(crate) const COUNTER: u64 = 0x0f0;
/// The first timer's; each has 32 bytes.
pub(crate) const TIMERS: u64 = 0x100;

/// The registers of a timer, from its first on.
pub(crate) mod timer {
    pub(crate) const CONFIGURATION: u64 = 0x00;
    pub(crate) const COMPARATOR: u64 = 0x08;
    pub(crate) const MESSAGE: u64 = 0x10;
}

/// General Configuration Register.
#[bitfield(u64)]
pub(crate) struct Configuration {
    /// ENABLE_CNF: the counter runs, and timers interrupt.
    pub(crate) enabled: bool,
    /// LEG_RT_CNF: timers 0 and 1 replace the interval timer and the clock.
    pub(crate) legacy: bool,
    #[bits(62)]
    __: u64,
}

/// Timer N Configuration and Capabilities Register.
#[bitfield(u64)]
pub(crate) struct TimerConfiguration {
    __: bool,
    /// INT_TYPE_CNF: level, not edge.
    pub(crate) level: bool,
    /// INT_ENB_CNF.
    pub(crate) enabled: bool,
    /// TYPE_CNF.
    pub(crate) periodic: bool,
    /// PER_INT_CAP.
    pub(crate) periodic_capable: bool,
    /// SIZE_CAP: 64 bits.
    pub(crate) size_capable: bool,
    /// VAL_SET_CNF: the next write of a periodic timer's comparator sets the
    /// comparator too.
    pub(crate) value_set: bool,
    __: bool,
    /// 32MODE_CNF: the timer has 32 bits.
    pub(crate) mode_32: bool,
    /// INT_ROUTE_CNF: an input of the I/O APIC.
    #[bits(5)]
    pub(crate) route: u32,
    /// FSB_EN_CNF: interrupts are messages.
    pub(crate) messages: bool,
    /// FSB_INT_DEL_CAP.
    pub(crate) message_capable: bool,
    #[bits(16)]
    __: u32,
    /// INT_ROUTE_CAP.
    #[bits(32)]
    pub(crate) routes: u32,
}

impl TimerConfiguration {
    /// What a guest can write; QEMU takes [`messages`](Self::messages) also where
    /// the timer is not capable of them.
    pub(crate) const WRITABLE: u64 = 0x7f4e;
}
