//! Where and in which state the boot processor enters a guest.

/// The processor mode at the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The power-on state: real mode at f000:fff0, the firmware's reset vector
    /// at 0xfffffff0.
    PowerOn,
    /// 32-bit protected mode with flat segments, without paging and without a
    /// descriptor table: a guest that loads segments brings its own.
    Protected,
    /// 64-bit mode with flat segments and paging.
    Long {
        /// The address of the top page table (CR3).
        page_table: u64,
        /// The address of a descriptor table with [`Entry::GDT`].
        gdt: u64,
    },
}

/// The boot processor's initial registers. Registers that are not named here
/// are 0, and interrupts are off; except in [`Mode::PowerOn`], in which all are
/// as at power-on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The mode.
    pub mode: Mode,
    /// The instruction pointer.
    pub rip: u64,
    /// RAX or EAX.
    pub rax: u64,
    /// RBX or EBX.
    pub rbx: u64,
    /// RSI or ESI.
    pub rsi: u64,
}

impl Entry {
    /// The code segment's selector; Linux's `__BOOT_CS`.
    pub const CODE_SELECTOR: u16 = 0x10;

    /// The selector of all other segments; Linux's `__BOOT_DS`.
    pub const DATA_SELECTOR: u16 = 0x18;

    /// The descriptors in long mode: two empty ones, a 64-bit code segment, a
    /// flat data segment.
    pub const GDT: [u64; 4] = [0, 0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff];

    /// The size of [`GDT`](Self::GDT) in bytes.
    pub const GDT_SIZE: u16 = 8 * Self::GDT.len() as u16;

    /// The power-on state, in which firmware starts.
    pub fn power_on() -> Self {
        Self::new(Mode::PowerOn, 0)
    }

    /// 32-bit protected mode at `eip`.
    pub fn protected(eip: u32) -> Self {
        Self::new(Mode::Protected, eip.into())
    }

    pub(super) fn new(mode: Mode, rip: u64) -> Self {
        Self { mode, rip, rax: 0, rbx: 0, rsi: 0 }
    }
}
