//! What the registers of a processor hold.

/// The registers of a processor that stands still.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuState {
    /// RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP and R8 to R15.
    pub general: [u64; 16],
    /// The instruction pointer.
    pub rip: u64,
    /// The flags.
    pub rflags: u64,
    /// ES, CS, SS, DS, FS, GS, LDT and TR.
    pub segments: [Segment; 8],
    /// Base and limit of the global descriptor table.
    pub gdt: (u64, u16),
    /// Base and limit of the interrupt descriptor table.
    pub idt: (u64, u16),
    /// Control register 0.
    pub cr0: u64,
    /// Control register 2.
    pub cr2: u64,
    /// Control register 3.
    pub cr3: u64,
    /// Control register 4.
    pub cr4: u64,
    /// Debug registers 0 to 3.
    pub breakpoints: [u64; 4],
    /// Debug register 6.
    pub dr6: u64,
    /// Debug register 7.
    pub dr7: u64,
    /// The extended features enable register.
    pub efer: u64,
    /// The instruction before has put off interrupts.
    pub interrupt_shadow: bool,
    /// It is in system management mode.
    pub smm: bool,
    /// It waits for an interrupt.
    pub halted: bool,
    /// Its floating-point unit.
    pub fpu: Fpu,
    /// The rights of protection keys (PKRU).
    pub protection_keys: u32,
    /// Its vector registers.
    pub vectors: Vectors,
}

/// A segment register, with what it has loaded from its descriptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// The selector.
    pub selector: u16,
    /// The first address.
    pub base: u64,
    /// The last offset.
    pub limit: u32,
    /// The attributes where a descriptor has them: bits 8 to 15 and 20 to 23 of
    /// its second half (Software Developer's Manual, volume 3A, 3.4.5).
    pub attributes: u32,
}

/// The x87 floating-point unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fpu {
    /// The control word.
    pub control: u16,
    /// The status word.
    pub status: u16,
    /// A bit for each register that is not empty.
    pub tags: u8,
    /// Significand, and exponent with sign, of the registers R0 to R7.
    pub registers: [(u64, u16); 8],
    /// The last instruction: its opcode, where it is, and where its operand is.
    pub last: (u16, u64, u64),
}

impl Fpu {
    /// Which of the registers is at a place of the stack, 0 being its top.
    #[must_use]
    pub const fn at(&self, stack: usize) -> usize {
        ((self.status >> 11 & 7) as usize + stack) % 8
    }
}

/// The vector registers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vectors {
    /// Control and status.
    pub mxcsr: u32,
    /// Which states are enabled (XCR0).
    pub enabled: u64,
    /// Which states are not as a reset leaves them (XSTATE_BV).
    pub in_use: u64,
    /// The 32 registers of 512 bits, low parts first; what the processor does not
    /// have is 0.
    pub registers: [[u64; 8]; 32],
    /// The eight mask registers of AVX-512.
    pub masks: [u64; 8],
}
