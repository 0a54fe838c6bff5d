//! What a guest's reads and writes do.

use southbridge_sdk::Context;

use crate::regs::*;
use crate::{DATA, FIFO_TIMEOUT, MODEM_POLL, Serial};

impl Serial {
    pub(crate) fn read_register(&mut self, cx: &mut Context<'_>, offset: u64) -> u8 {
        let [low, high] = self.divider.to_le_bytes();
        match offset {
            RBR_THR if self.lcr.dlab() => low,
            IER if self.lcr.dlab() => high,
            RBR_THR => self.read_receiver(cx),
            IER => self.ier.into(),
            IIR_FCR => self.read_interrupt(cx),
            LCR => self.lcr.into(),
            MCR => self.mcr.into(),
            LSR => self.read_line_status(cx),
            MSR => self.read_modem_status(cx),
            _ => self.scr,
        }
    }

    pub(crate) fn write_register(&mut self, cx: &mut Context<'_>, offset: u64, value: u8) {
        let [low, high] = self.divider.to_le_bytes();
        match offset {
            RBR_THR if self.lcr.dlab() => self.set_divider([value, high]),
            IER if self.lcr.dlab() => self.set_divider([low, value]),
            RBR_THR => self.write_transmitter(cx, value),
            IER => self.write_interrupt_enable(cx, Ier::from(value & IER_WRITABLE)),
            IIR_FCR => self.write_fifo_control(cx, Fcr::from(value)),
            LCR => {
                self.lcr = value.into();
                self.update_character_time();
            }
            MCR => self.write_modem_control(cx, Mcr::from(value & MCR_WRITABLE)),
            SCR => self.scr = value,
            _ => {}
        }
    }

    fn set_divider(&mut self, bytes: [u8; 2]) {
        self.divider = u16::from_le_bytes(bytes);
        self.update_character_time();
    }

    fn read_receiver(&mut self, cx: &mut Context<'_>) -> u8 {
        let byte = if self.fcr.enable() {
            let byte = self.receiver.pop().unwrap_or(0);
            if !self.receiver.is_empty() {
                self.start_fifo_timeout(cx);
            }
            self.timeout_pending = false;
            byte
        } else {
            self.rbr
        };
        if !self.fcr.enable() || self.receiver.is_empty() {
            self.lsr.set_dr(false);
            self.lsr.set_bi(false);
        }
        self.update_interrupt(cx);
        cx.ready(DATA);
        byte
    }

    fn read_interrupt(&mut self, cx: &mut Context<'_>) -> u8 {
        let read = self.iir;
        if read.is_transmitter() {
            self.thr_pending = false;
            self.update_interrupt(cx);
        }
        read.into()
    }

    fn read_line_status(&mut self, cx: &mut Context<'_>) -> u8 {
        let read = self.lsr;
        if read.bi() || read.oe() {
            self.lsr.set_bi(false);
            self.lsr.set_oe(false);
            self.update_interrupt(cx);
        }
        read.into()
    }

    fn read_modem_status(&mut self, cx: &mut Context<'_>) -> u8 {
        if self.mcr.loopback() {
            return Msr::looped(self.mcr).into();
        }
        if self.poll_msl >= 0 {
            self.forget_modem_lines();
            cx.disarm(MODEM_POLL);
        }
        let read = self.msr;
        if read.deltas() != 0 {
            self.msr.set_deltas(0);
            self.update_interrupt(cx);
        }
        read.into()
    }

    fn write_transmitter(&mut self, cx: &mut Context<'_>, byte: u8) {
        self.thr = byte;
        if self.fcr.enable() {
            // An overrun pushes out the oldest byte.
            if self.transmitter.is_full() {
                self.transmitter.pop();
            }
            self.transmitter.push(byte);
        }
        self.thr_pending = false;
        self.lsr.set_thre(false);
        self.lsr.set_temt(false);
        self.update_interrupt(cx);
        if self.tsr_retry == 0 {
            self.transmit(cx);
        }
    }

    fn write_interrupt_enable(&mut self, cx: &mut Context<'_>, new: Ier) {
        let old = std::mem::replace(&mut self.ier, new);
        if old.edssi() != new.edssi() && self.poll_msl >= 0 {
            self.forget_modem_lines();
            cx.disarm(MODEM_POLL);
            if !new.edssi() {
                // QEMU will ask again when the interrupt is next enabled.
                self.poll_msl = 0;
            }
        }
        if old.etbei() != new.etbei() {
            // Enabling the interrupt raises it again, even if it had been
            // acknowledged: not in the data sheet, but Windows needs it.
            self.thr_pending = new.etbei() && self.lsr.thre();
        }
        if old != new {
            self.update_interrupt(cx);
        }
    }

    fn write_fifo_control(&mut self, cx: &mut Context<'_>, new: Fcr) {
        // Enabling or disabling the FIFOs empties both.
        let toggled = new.enable() != self.fcr.enable();
        if toggled || new.receiver_reset() {
            self.lsr.set_dr(false);
            self.lsr.set_bi(false);
            self.fifo_timeout = None;
            cx.disarm(FIFO_TIMEOUT);
            self.timeout_pending = false;
            self.receiver.clear();
        }
        if toggled || new.transmitter_reset() {
            self.lsr.set_thre(true);
            self.thr_pending = true;
            self.transmitter.clear();
        }
        self.fcr = Fcr::from(u8::from(new) & FCR_KEPT);
        self.show_fifos();
        self.update_interrupt(cx);
        cx.ready(DATA);
    }

    fn write_modem_control(&mut self, cx: &mut Context<'_>, new: Mcr) {
        let old = std::mem::replace(&mut self.mcr, new);
        if !new.loopback() && old != new && self.poll_msl >= 0 {
            // The other side may answer; QEMU looks after one character time.
            let deadline = cx.now.saturating_add(self.character_time);
            self.modem_poll = Some(deadline);
            cx.arm(MODEM_POLL, deadline);
        }
    }
}
