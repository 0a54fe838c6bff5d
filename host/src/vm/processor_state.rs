//! All that processors and the kernel's chips hold, to be put into another machine's.

use std::collections::BTreeMap;
use std::ops::Range;

use kvm_bindings::{kvm_pic_state, kvm_pit_state2};

use super::CpuState;

/// What a machine's processors hold, and the kernel's part of its hardware.
#[derive(Clone, Debug, PartialEq)]
pub struct VmState {
    /// The processors.
    pub processors: Vec<ProcessorState>,
    /// The kernel's interrupt controllers and timer, where it has them.
    pub chips: Option<ChipState>,
    /// The level-triggered messages, address and data, that an I/O APIC which is a device
    /// may have sent: the local APICs tell it of their end.
    pub messages: Vec<(u64, u32)>,
    /// The clock that KVM offers to guests, in nanoseconds.
    pub clock: u64,
}

/// A processor that stands between two instructions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessorState {
    /// Its registers.
    pub registers: CpuState,
    /// What is on its way into it.
    pub events: Events,
    /// What it does (`KVM_MP_STATE_*`).
    pub activity: u32,
    /// Its model-specific registers, as far as they can be read and written.
    pub msrs: BTreeMap<u32, u64>,
    /// Which machine checks it reports (`IA32_MCG_CAP`).
    pub machine_checks: u64,
    /// How often its time stamp counter counts in a millisecond; none if KVM does not say.
    pub tsc_khz: Option<u32>,
    /// How many bits a physical address has.
    pub physical_bits: u32,
    /// Its local APIC, where the kernel has it.
    pub apic: Option<ApicState>,
}

/// Exceptions and interrupts on their way into a processor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// The vector of an exception that is being delivered.
    pub exception: Option<u8>,
    /// The exception's error code, if it has one.
    pub error_code: Option<u32>,
    /// The vector of an interrupt that is being delivered.
    pub interrupt: Option<u8>,
    /// That interrupt is an instruction's.
    pub soft: bool,
    /// A non-maskable interrupt is being delivered.
    pub nmi_injected: bool,
    /// A non-maskable interrupt waits.
    pub nmi_pending: bool,
    /// Further ones have to wait for the handler's end.
    pub nmi_masked: bool,
    /// The vector of the start-up interrupt that came last.
    pub sipi_vector: u32,
}

/// A local APIC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApicState {
    /// `IA32_APIC_BASE`: where it is, and whether it is enabled.
    pub base: u64,
    /// Its registers, 16 bytes apart, each of 4 (Software Developer's Manual, volume 3A,
    /// table 11-1).
    pub registers: Box<[u8; 1024]>,
}

impl ProcessorState {
    /// The value of a model-specific register: that after a reset, if nothing is said.
    #[must_use]
    pub fn msr(&self, index: u32) -> u64 {
        self.msrs.get(&index).copied().unwrap_or_else(|| msr_at_reset(index))
    }
}

/// The registers of the machine-check banks, four of each: as many as QEMU's guests have.
pub const MACHINE_CHECKS: Range<u32> = 0x400..0x428;

/// The value of a model-specific register after a reset, as QEMU has it. Most are 0.
#[must_use]
pub const fn msr_at_reset(index: u32) -> u64 {
    const FIRST_CHECK: u32 = MACHINE_CHECKS.start;
    const LAST_CHECK: u32 = MACHINE_CHECKS.end - 1;
    match index {
        // IA32_SMBASE, and IA32_MISC_ENABLE with fast strings.
        0x9e => 0x3_0000,
        0x1a0 => 1,
        // IA32_PAT.
        0x277 => 0x0007_0406_0007_0406,
        // All banks of machine checks report, as do those that have a control register.
        0x17b => u64::MAX,
        FIRST_CHECK..=LAST_CHECK if index.is_multiple_of(4) => u64::MAX,
        // A guest's processors are not polled for while they are halted.
        0x4b56_4d05 => 1,
        _ => 0,
    }
}

impl ApicState {
    /// The register at an offset, which is a multiple of 16 below 0x400.
    #[must_use]
    pub fn register(&self, offset: usize) -> u32 {
        let bytes = self.registers.get(offset..).and_then(|rest| rest.first_chunk());
        bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }

    /// Changes such a register.
    pub fn set_register(&mut self, offset: usize, value: u32) {
        let rest = self.registers.get_mut(offset..);
        if let Some(bytes) = rest.and_then(|rest| rest.first_chunk_mut()) {
            *bytes = value.to_le_bytes();
        }
    }
}

/// The kernel's two 8259A, I/O APIC and 8254, in the words of the KVM API.
#[derive(Clone, Debug, PartialEq)]
pub struct ChipState {
    /// The first 8259A and the one behind it.
    pub pics: [kvm_pic_state; 2],
    /// The I/O APIC.
    pub io_apic: IoApicState,
    /// The 8254, whose times are those of the host's monotonic clock.
    pub timer: kvm_pit_state2,
}

/// An I/O APIC (82093AA data sheet, 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IoApicState {
    /// Where it is.
    pub base: u64,
    /// The register that is selected.
    pub selected: u32,
    /// Its id.
    pub id: u32,
    /// The levels of its pins, as far as they ask for an interrupt.
    pub requests: u32,
    /// Its redirection table.
    pub redirections: [u64; 24],
}
