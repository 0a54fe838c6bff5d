//! Registers, with the names of the data sheet.

use bitfield_struct::bitfield;

/// ELCR1 and ELCR2, the edge/level control registers: an ISA interrupt that is
/// level-triggered for each bit set. System timer, keyboard and cascade (ELCR1),
/// clock and coprocessor (ELCR2) are always edge-triggered.
pub(crate) const ELCR: [u64; 2] = [0x4d0, 0x4d1];
/// The bits of ELCR1 and ELCR2 that exist.
pub(crate) const ELCR_BITS: [u8; 2] = [0xf8, 0xde];
/// RC, the reset control register.
pub(crate) const RESET_CONTROL: u64 = 0xcf9;

/// PIRQRC\[A:D\], the PIRQx route control registers.
pub(crate) const PIRQRC: usize = 0x60;

/// What a system reset writes to configuration space in QEMU: offset and value.
/// Everything not listed keeps what a guest has written. QEMU writes 7 to the
/// command register, too, which the reset of the bus then clears again.
pub(crate) const AT_RESET: [(usize, u8); 29] = [
    (0x06, 0x00), // PCISTS: medium DEVSEL# timing
    (0x07, 0x02),
    (0x4c, 0x4d), // IORT
    (0x4e, 0x03), // XBCS
    (0x4f, 0x00),
    (0x60, 0x80), // PIRQRCA to PIRQRCD: not routed
    (0x61, 0x80),
    (0x62, 0x80),
    (0x63, 0x80),
    (0x69, 0x02), // TOM
    (0x70, 0x80), // MBIRQ0: not routed
    (0x76, 0x0c), // MBDMA0 and MBDMA1
    (0x77, 0x0c),
    (0x78, 0x02), // PCSC
    (0x79, 0x00),
    (0x80, 0x00), // APICBASE
    (0x82, 0x00), // DLC
    (0xa0, 0x08), // SMICNTL
    (0xa2, 0x00), // SMIEN
    (0xa3, 0x00),
    (0xa4, 0x00), // SEE
    (0xa5, 0x00),
    (0xa6, 0x00),
    (0xa7, 0x00),
    (0xa8, 0x0f), // FTMR
    (0xaa, 0x00), // SMIREQ
    (0xab, 0x00),
    (0xac, 0x00), // CTLTMR
    (0xae, 0x00), // CTHTMR
];

/// A PIRQx route control register. QEMU compares the whole byte with 16, so
/// that not only bit 7 disables the routing.
#[bitfield(u8)]
pub(crate) struct RouteControl {
    #[bits(4)]
    routing: u8,
    #[bits(4)]
    disabled: u8,
}

impl RouteControl {
    /// The ISA interrupt the line is routed to, if any.
    pub(crate) const fn irq(self) -> Option<u8> {
        if self.disabled() == 0 { Some(self.routing()) } else { None }
    }
}

/// The reset control register.
#[bitfield(u8)]
pub(crate) struct ResetControl {
    __: bool,
    /// SRST: the reset is hard, not soft. QEMU keeps it and makes no difference.
    pub(crate) system_reset: bool,
    /// RCPU: resets, when written with 1.
    pub(crate) reset_cpu: bool,
    #[bits(5)]
    __: u8,
}
