//! Command words, with the names of the data sheet.

use bitfield_struct::bitfield;

/// The bits of ELCR1 and ELCR2 that exist: system timer, keyboard and cascade,
/// clock and coprocessor are always edge-triggered (82371SB, 3.1.4.7 and 3.1.4.8).
pub(crate) const ELCR_BITS: [u8; 2] = [0xf8, 0xde];

/// The bits of ICW2 that the controller keeps: T7 to T3.
pub(crate) const ICW2_BITS: u8 = 0xf8;

/// Initialization command word 1, which bit 4 marks.
#[bitfield(u8)]
pub(crate) struct Icw1 {
    /// IC4: ICW4 follows.
    pub(crate) icw4: bool,
    /// SNGL: no other controller, so no ICW3.
    pub(crate) single: bool,
    /// ADI: for another family of processors.
    __: bool,
    /// LTIM: all inputs are level-triggered.
    pub(crate) level_triggered: bool,
    pub(crate) is_icw1: bool,
    #[bits(3)]
    __: u8,
}

/// Initialization command word 4.
#[bitfield(u8)]
pub(crate) struct Icw4 {
    __: bool,
    /// AEOI.
    pub(crate) automatic_end: bool,
    #[bits(2)]
    __: u8,
    /// SFNM.
    pub(crate) special_fully_nested: bool,
    #[bits(3)]
    __: u8,
}

/// Operation command word 2.
#[bitfield(u8)]
pub(crate) struct Ocw2 {
    /// L2 to L0.
    #[bits(3)]
    pub(crate) level: u8,
    #[bits(2)]
    __: u8,
    /// R, SL and EOI.
    #[bits(3)]
    pub(crate) command: u8,
}

/// Operation command word 3, which bit 3 marks.
#[bitfield(u8)]
pub(crate) struct Ocw3 {
    /// RIS: the register to read is ISR, not IRR.
    pub(crate) in_service: bool,
    /// RR: RIS counts.
    pub(crate) read_register: bool,
    /// P: the next read polls.
    pub(crate) poll: bool,
    pub(crate) is_ocw3: bool,
    __: bool,
    /// SMM: special mask mode.
    pub(crate) special_mask: bool,
    /// ESMM: SMM counts.
    pub(crate) enable_special_mask: bool,
    __: bool,
}
