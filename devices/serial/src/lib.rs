//! A 16550A UART: QEMU's `isa-serial`.
//!
//! The reference is National Semiconductor's data sheet of the PC16550D, and
//! QEMU 7.2 and 10.0 (which behave alike) where they differ from it:
//!
//! - a byte leaves as soon as it is written, whatever the divisor says: the
//!   transmitter is never seen busy;
//! - the divisor and the line control only set the time after which bytes
//!   waiting in the receiver FIFO raise the time-out interrupt;
//! - a reset leaves the FIFO control register alone;
//! - the stream has no modem lines and no breaks: the other side is always
//!   there (DCD, DSR and CTS are set), and no error is ever received but the
//!   overrun.
//!
//! Loopback connects the transmitter to the receiver and the modem outputs to
//! the modem inputs; DMA modes have no effect.

mod access;
mod fifo;
mod regs;
mod state;
mod uart;

use southbridge_sdk::state::Sections;
use southbridge_sdk::wit::{Attachment, Description};
use southbridge_sdk::{Context, Device, Properties, StreamInput, describe};

use fifo::Fifo;
use regs::{Fcr, Ier, Iir, Lcr, Lsr, Mcr, Msr};

const REGISTERS: u32 = 0;
const REGISTER_COUNT: u16 = 8;
const IRQ: u32 = 0;
const DATA: u32 = 0;

const FIFO_TIMEOUT: u32 = 0;
const MODEM_POLL: u32 = 1;
const TRANSMIT: u32 = 2;

/// The device.
#[derive(Clone, Debug)]
pub struct Serial {
    divider: u16,
    rbr: u8,
    ier: Ier,
    iir: Iir,
    lcr: Lcr,
    mcr: Mcr,
    lsr: Lsr,
    msr: Msr,
    scr: u8,
    fcr: Fcr,
    thr: u8,
    /// The transmitter's shift register.
    tsr: u8,
    /// How often QEMU has tried to send the shift register in vain.
    tsr_retry: u32,
    /// The transmitter has become empty since its interrupt was acknowledged.
    thr_pending: bool,
    /// Bytes have been waiting in the receiver FIFO for too long.
    timeout_pending: bool,
    receiver: Fifo,
    transmitter: Fifo,
    fifo_timeout: Option<u64>,
    modem_poll: Option<u64>,
    /// QEMU's knowledge of the modem lines: -1 there are none, 0 not asked yet,
    /// 1 they are polled.
    poll_msl: i32,
    /// Nanoseconds of one character on the wire.
    character_time: u64,
}

impl Device for Serial {
    fn describe() -> Description {
        let summary = "16550A UART (isa-serial)";
        let version = env!("CARGO_PKG_VERSION");
        let (valid, implemented) = (describe::aligned(1, 4), describe::aligned(1, 1));
        let size = REGISTER_COUNT.into();
        Description {
            properties: vec![describe::number("iobase", 0x3f8, "First of the 8 I/O ports")],
            regions: vec![describe::ports("registers", size, valid, implemented)],
            lines: vec![describe::output("irq")],
            timers: vec!["fifo-timeout".into(), "modem-poll".into(), "transmit".into()],
            streams: vec!["data".into()],
            ..describe::device("serial", version, summary, Attachment::System)
        }
    }

    fn configure(properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        let base: u16 = properties.number("iobase")?;
        let last = u16::MAX - (REGISTER_COUNT - 1);
        if base > last {
            return Err(format!("property iobase: {base:#x}, expected at most {last:#x}"));
        }
        cx.map(REGISTERS, base.into(), 0);
        Ok(Self::default())
    }

    fn reset(&mut self, cx: &mut Context<'_>) {
        self.reset_registers(cx);
    }

    fn io_read(&mut self, cx: &mut Context<'_>, _region: u32, offset: u64, _size: u8) -> u64 {
        self.read_register(cx, offset).into()
    }

    fn io_write(&mut self, cx: &mut Context<'_>, _region: u32, offset: u64, _size: u8, value: u64) {
        self.write_register(cx, offset, value as u8);
    }

    fn timer_expired(&mut self, cx: &mut Context<'_>, timer: u32) {
        match timer {
            FIFO_TIMEOUT => self.fifo_timed_out(cx),
            MODEM_POLL => self.forget_modem_lines(),
            TRANSMIT => self.transmit(cx),
            _ => {}
        }
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        self.walk(sections);
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        self.check()?;
        self.set_timers(cx);
        cx.set_line(IRQ, self.iir.is_pending());
        Ok(())
    }
}

impl StreamInput for Serial {
    fn room(&mut self, _stream: u32) -> u32 {
        self.receiver_room()
    }

    fn receive(&mut self, cx: &mut Context<'_>, _stream: u32, byte: u8) {
        self.receive_byte(cx, byte);
    }
}

southbridge_sdk::export!(Serial, stream_input);

#[cfg(test)]
mod tests;
