//! The registers, with the names of the PC16550D data sheet, section 8.

use bitfield_struct::bitfield;

/// Receiver buffer (read), transmitter holding register (write); divisor latch,
/// low byte, while [`Lcr::dlab`] is set.
pub(crate) const RBR_THR: u64 = 0;
/// Interrupt enable; divisor latch, high byte, while [`Lcr::dlab`] is set.
pub(crate) const IER: u64 = 1;
/// Interrupt identification (read), FIFO control (write).
pub(crate) const IIR_FCR: u64 = 2;
/// Line control.
pub(crate) const LCR: u64 = 3;
/// Modem control.
pub(crate) const MCR: u64 = 4;
/// Line status. QEMU drops writes, which the data sheet reserves for tests.
pub(crate) const LSR: u64 = 5;
/// Modem status. QEMU drops writes.
pub(crate) const MSR: u64 = 6;
/// Scratch.
pub(crate) const SCR: u64 = 7;

/// Bits of [`Ier`] a guest can set.
pub(crate) const IER_WRITABLE: u8 = 0x0f;
/// Bits of [`Mcr`] a guest can set.
pub(crate) const MCR_WRITABLE: u8 = 0x1f;
/// Bits of [`Fcr`] that last; the two resets do their work at once.
pub(crate) const FCR_KEPT: u8 = 0xc9;

/// Interrupt enable register.
#[bitfield(u8)]
#[derive(PartialEq, Eq)]
pub(crate) struct Ier {
    /// Received data available, and character time-out.
    pub(crate) erbfi: bool,
    /// Transmitter holding register empty.
    pub(crate) etbei: bool,
    /// Receiver line status.
    pub(crate) elsi: bool,
    /// Modem status.
    pub(crate) edssi: bool,
    #[bits(4)]
    __: u8,
}

/// What the low nibble of [`Iir`] says, highest priority first.
pub(crate) mod interrupt {
    /// A break or an error in the line status.
    pub(crate) const LINE_STATUS: u8 = 0x6;
    /// Characters have been waiting in the FIFO for four character times.
    pub(crate) const TIMEOUT: u8 = 0xc;
    /// Received data, in FIFO mode as many bytes as the trigger level.
    pub(crate) const RECEIVED: u8 = 0x4;
    /// Transmitter holding register empty.
    pub(crate) const TRANSMITTER: u8 = 0x2;
    /// A change in the modem status.
    pub(crate) const MODEM_STATUS: u8 = 0x0;
    /// None.
    pub(crate) const NONE: u8 = 0x1;
}

/// Interrupt identification register.
#[bitfield(u8)]
pub(crate) struct Iir {
    /// One of [`interrupt`].
    #[bits(4)]
    pub(crate) interrupt: u8,
    #[bits(2)]
    __: u8,
    /// Both bits are set while the FIFOs are enabled.
    #[bits(2)]
    pub(crate) fifos: u8,
}

impl Iir {
    /// Whether bits 1 and 2, all a 16450 has, name the transmitter.
    pub(crate) const fn is_transmitter(self) -> bool {
        self.interrupt() & 0x6 == interrupt::TRANSMITTER
    }

    /// Whether the interrupt line is up.
    pub(crate) const fn is_pending(self) -> bool {
        self.interrupt() & interrupt::NONE == 0
    }
}

/// FIFO control register.
#[bitfield(u8)]
pub(crate) struct Fcr {
    /// FIFOs enabled.
    pub(crate) enable: bool,
    pub(crate) receiver_reset: bool,
    pub(crate) transmitter_reset: bool,
    /// DMA mode; kept and otherwise without effect.
    pub(crate) dma_mode: bool,
    #[bits(2)]
    __: u8,
    #[bits(2)]
    pub(crate) trigger: u8,
}

impl Fcr {
    /// The number of bytes in the receiver FIFO that raise the interrupt.
    pub(crate) const fn trigger_level(self) -> u32 {
        match self.trigger() {
            0 => 1,
            1 => 4,
            2 => 8,
            _ => 14,
        }
    }
}

/// Line control register.
#[bitfield(u8)]
pub(crate) struct Lcr {
    /// Data bits less 5.
    #[bits(2)]
    pub(crate) word_length: u8,
    /// Two stop bits.
    pub(crate) stop_bits: bool,
    pub(crate) parity_enable: bool,
    #[bits(2)]
    parity: u8,
    set_break: bool,
    /// Divisor latch access.
    pub(crate) dlab: bool,
}

impl Lcr {
    /// Bits of a character on the wire: start, data, parity and stop.
    pub(crate) fn frame_bits(self) -> u8 {
        let stop = 1 + u8::from(self.stop_bits());
        1 + (5 + self.word_length()) + u8::from(self.parity_enable()) + stop
    }
}

/// Modem control register.
#[bitfield(u8)]
#[derive(PartialEq, Eq)]
pub(crate) struct Mcr {
    pub(crate) dtr: bool,
    pub(crate) rts: bool,
    pub(crate) out1: bool,
    pub(crate) out2: bool,
    /// The transmitter feeds the receiver, and the outputs above the inputs.
    pub(crate) loopback: bool,
    #[bits(3)]
    __: u8,
}

/// Line status register.
#[bitfield(u8)]
pub(crate) struct Lsr {
    /// Data ready.
    pub(crate) dr: bool,
    /// Overrun error.
    pub(crate) oe: bool,
    /// Parity error.
    pub(crate) pe: bool,
    /// Framing error.
    pub(crate) fe: bool,
    /// Break interrupt.
    pub(crate) bi: bool,
    /// Transmitter holding register empty.
    pub(crate) thre: bool,
    /// Transmitter empty.
    pub(crate) temt: bool,
    /// Error in the FIFO. QEMU never sets it.
    fifo_error: bool,
}

impl Lsr {
    /// Whether something raises the line status interrupt.
    pub(crate) const fn has_error(self) -> bool {
        self.oe() || self.pe() || self.fe() || self.bi()
    }
}

/// Modem status register.
#[bitfield(u8)]
pub(crate) struct Msr {
    /// What has changed since the last read.
    #[bits(4)]
    pub(crate) deltas: u8,
    pub(crate) cts: bool,
    pub(crate) dsr: bool,
    pub(crate) ri: bool,
    pub(crate) dcd: bool,
}

impl Msr {
    /// The inputs as the outputs of `mcr` drive them in loopback mode.
    pub(crate) const fn looped(mcr: Mcr) -> Self {
        let ports = Self::new().with_cts(mcr.rts()).with_dsr(mcr.dtr());
        ports.with_ri(mcr.out1()).with_dcd(mcr.out2())
    }
}
