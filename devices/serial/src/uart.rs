//! The receiver, the transmitter, the interrupt and the timers.

use southbridge_sdk::Context;

use crate::fifo::{CAPACITY, Fifo};
use crate::regs::*;
use crate::{DATA, FIFO_TIMEOUT, IRQ, MODEM_POLL, Serial, TRANSMIT};

/// The frequency that the divisor latch divides, already divided by the 16
/// samples of a bit.
const BAUD_BASE: f32 = 115_200.0;

/// What a divisor of 0 amounts to in QEMU; the data sheet does not say.
const BAUD_WITHOUT_DIVISOR: f32 = 3500.0;

/// QEMU's character time after a reset: ten bits at 9600 baud, cut to whole
/// nanoseconds bit by bit, whatever the registers say.
const RESET_CHARACTER_TIME: u64 = 1_000_000_000 / 9600 * 10;

/// QEMU found out at the last reset, or when it last asked, that the stream has
/// no modem lines.
const NO_MODEM_LINES: i32 = -1;

impl Serial {
    /// The state after a reset. As in QEMU the FIFO control register, the bytes
    /// in the transmitter and in the FIFOs' memory live on.
    pub(crate) fn reset_registers(&mut self, cx: &mut Context<'_>) {
        self.rbr = 0;
        self.ier = Ier::new();
        self.iir = Iir::new().with_interrupt(interrupt::NONE);
        self.lcr = Lcr::new();
        self.mcr = Mcr::new().with_out2(true);
        self.lsr = Lsr::new().with_thre(true).with_temt(true);
        self.msr = Msr::new().with_cts(true).with_dsr(true).with_dcd(true);
        self.scr = 0;
        self.divider = 12;
        self.character_time = RESET_CHARACTER_TIME;
        self.tsr_retry = 0;
        self.thr_pending = false;
        self.timeout_pending = false;
        self.receiver.clear();
        self.transmitter.clear();
        self.fifo_timeout = None;
        self.forget_modem_lines();
        self.set_timers(cx);
        cx.set_line(IRQ, false);
        cx.ready(DATA);
    }

    /// How many bytes the receiver takes now. Up to the trigger level QEMU asks
    /// for just as many as are missing, which is none at the level itself, and
    /// above it for one at a time: a guest shall be able to answer the interrupt
    /// before the FIFO is full.
    pub(crate) fn receiver_room(&self) -> u32 {
        let (count, level) = (self.receiver.count, self.fcr.trigger_level());
        match () {
            () if !self.fcr.enable() => u32::from(!self.lsr.dr()),
            () if count >= CAPACITY => 0,
            () if count > level => 1,
            () => level - count,
        }
    }

    pub(crate) fn receive_byte(&mut self, cx: &mut Context<'_>, byte: u8) {
        if self.fcr.enable() {
            // An overrun leaves the FIFO's contents alone.
            if !self.receiver.push(byte) {
                self.lsr.set_oe(true);
            }
            self.start_fifo_timeout(cx);
        } else {
            if self.lsr.dr() {
                self.lsr.set_oe(true);
            }
            self.rbr = byte;
        }
        self.lsr.set_dr(true);
        self.update_interrupt(cx);
    }

    /// Nobody has read the FIFO for four character times.
    pub(crate) fn fifo_timed_out(&mut self, cx: &mut Context<'_>) {
        self.fifo_timeout = None;
        if !self.receiver.is_empty() {
            self.timeout_pending = true;
            self.update_interrupt(cx);
        }
    }

    /// Sends what the transmitter holds. A stream always takes a byte, so that
    /// nothing is ever left in the transmitter, and QEMU's retries never happen;
    /// only a state loaded from a QEMU in the middle of one begins with the byte
    /// in the shift register.
    pub(crate) fn transmit(&mut self, cx: &mut Context<'_>) {
        let mut retried = std::mem::take(&mut self.tsr_retry) > 0;
        loop {
            if !std::mem::take(&mut retried) {
                self.tsr = match self.fcr.enable() {
                    true => self.transmitter.pop().unwrap_or(self.thr),
                    false => self.thr,
                };
                self.lsr.set_thre(!self.fcr.enable() || self.transmitter.is_empty());
                if self.lsr.thre() && !self.thr_pending {
                    self.thr_pending = true;
                    self.update_interrupt(cx);
                }
            }
            if self.mcr.loopback() {
                self.receive_byte(cx, self.tsr);
            } else {
                cx.put(DATA, self.tsr);
            }
            if self.lsr.thre() {
                break;
            }
        }
        self.lsr.set_temt(true);
    }

    /// The stream has no modem lines: they keep their levels, and QEMU stops
    /// asking.
    pub(crate) fn forget_modem_lines(&mut self) {
        self.poll_msl = NO_MODEM_LINES;
        self.modem_poll = None;
    }

    /// Arms the timers as the state says.
    pub(crate) fn set_timers(&self, cx: &mut Context<'_>) {
        let transmit = (self.tsr_retry > 0).then_some(cx.now);
        for (timer, deadline) in
            [(FIFO_TIMEOUT, self.fifo_timeout), (MODEM_POLL, self.modem_poll), (TRANSMIT, transmit)]
        {
            match deadline {
                Some(deadline) => cx.arm(timer, deadline),
                None => cx.disarm(timer),
            }
        }
    }

    /// The time of a character on the wire, with QEMU's single precision and
    /// rounding.
    pub(crate) fn update_character_time(&mut self) {
        let speed = match self.divider {
            0 => BAUD_WITHOUT_DIVISOR,
            divisor => BAUD_BASE / f32::from(divisor),
        };
        let time = 1e9 / speed * f32::from(self.lcr.frame_bits());
        self.character_time = time as u64;
    }

    pub(crate) fn update_interrupt(&mut self, cx: &mut Context<'_>) {
        let received = self.lsr.dr()
            && (!self.fcr.enable() || self.receiver.count >= self.fcr.trigger_level());
        let interrupt = if self.ier.elsi() && self.lsr.has_error() {
            interrupt::LINE_STATUS
        } else if self.ier.erbfi() && self.timeout_pending {
            // That ERBFI masks the time-out is not in the data sheet.
            interrupt::TIMEOUT
        } else if self.ier.erbfi() && received {
            interrupt::RECEIVED
        } else if self.ier.etbei() && self.thr_pending {
            interrupt::TRANSMITTER
        } else if self.ier.edssi() && self.msr.deltas() != 0 {
            interrupt::MODEM_STATUS
        } else {
            interrupt::NONE
        };
        self.iir.set_interrupt(interrupt);
        cx.set_line(IRQ, self.iir.is_pending());
    }

    /// Lets the interrupt identification say whether the FIFOs are enabled.
    pub(crate) fn show_fifos(&mut self) {
        self.iir.set_fifos(if self.fcr.enable() { 3 } else { 0 });
    }

    pub(crate) fn start_fifo_timeout(&mut self, cx: &mut Context<'_>) {
        let deadline = cx.now.saturating_add(self.character_time.saturating_mul(4));
        self.fifo_timeout = Some(deadline);
        cx.arm(FIFO_TIMEOUT, deadline);
    }
}

impl Default for Serial {
    /// The device before its first reset.
    fn default() -> Self {
        Self {
            divider: 0,
            rbr: 0,
            ier: Ier::new(),
            iir: Iir::new(),
            lcr: Lcr::new(),
            mcr: Mcr::new(),
            lsr: Lsr::new(),
            msr: Msr::new(),
            scr: 0,
            fcr: Fcr::new(),
            thr: 0,
            tsr: 0,
            tsr_retry: 0,
            thr_pending: false,
            timeout_pending: false,
            receiver: Fifo::default(),
            transmitter: Fifo::default(),
            fifo_timeout: None,
            modem_poll: None,
            poll_msl: NO_MODEM_LINES,
            character_time: RESET_CHARACTER_TIME,
        }
    }
}
