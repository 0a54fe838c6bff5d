//! The saved state: QEMU's section `serial`.

use southbridge_sdk::state::{Condition, Fields, Sections, Shape};

use crate::Serial;
use crate::fifo::{CAPACITY, Fifo};

/// The most retries QEMU makes to send a byte.
const MAX_RETRIES: u32 = 4;

/// In nanoseconds: 12 bits at the greatest divisor take 6.83 seconds.
const LONGEST_CHARACTER: u64 = 7_000_000_000;

const SERIAL: Shape = Shape::new("serial", 3, 2);
const FIFO: Shape = Shape::new("Fifo8", 1, 1);

const fn subsection(name: &'static str) -> Shape {
    Shape::new(name, 1, 1)
}

impl Serial {
    pub(crate) fn walk(&mut self, sections: &mut Sections<'_>) {
        // The ISA device's description holds nothing but the UART's, under the
        // same name and versions.
        sections.section(SERIAL, Condition::ALWAYS, |f| {
            f.structure("state", SERIAL, |f| self.fields(f));
        });
    }

    fn fields(&mut self, f: &mut Fields<'_>) {
        f.since(2, |f| f.u16("divider", &mut self.divider));
        f.u8("rbr", &mut self.rbr);
        register(f, "ier", &mut self.ier);
        register(f, "iir", &mut self.iir);
        register(f, "lcr", &mut self.lcr);
        register(f, "mcr", &mut self.mcr);
        register(f, "lsr", &mut self.lsr);
        register(f, "msr", &mut self.msr);
        f.u8("scr", &mut self.scr);
        f.since(3, |f| register(f, "fcr_vmstate", &mut self.fcr));
        if f.is_loading() {
            self.show_fifos();
            self.update_character_time();
            self.thr_pending = self.iir.is_transmitter();
        }
        f.private(|f| {
            // What QEMU derives when it loads is not always what it was: a reset
            // leaves both as no register says.
            register(f, "iir_after_reset", &mut self.iir);
            f.u64("char_transmit_time", &mut self.character_time);
            let time = self.character_time;
            f.check(time <= LONGEST_CHARACTER, || {
                format!("{time} found, at most {LONGEST_CHARACTER} expected")
            });
        });
        self.subsections(f);
    }

    fn subsections(&mut self, f: &mut Fields<'_>) {
        let Self { ier, iir, .. } = *self;
        let Self {
            divider: _,
            rbr: _,
            ier: _,
            iir: _,
            lcr: _,
            mcr: _,
            lsr: _,
            msr: _,
            scr: _,
            fcr: _,
            character_time: _,
            thr,
            tsr,
            tsr_retry,
            thr_pending,
            timeout_pending,
            receiver,
            transmitter,
            fifo_timeout,
            modem_poll,
            poll_msl,
        } = self;

        let implied = *thr_pending == iir.is_transmitter();
        let needed = Condition::new("not what iir says", ier.etbei() && !implied);
        f.subsection(subsection("serial/thr_ipending"), needed, |f| {
            truth(f, "thr_ipending", thr_pending);
        });

        let needed = Condition::new("a byte waits to be sent again", *tsr_retry != 0);
        f.subsection(subsection("serial/tsr"), needed, |f| {
            f.u32("tsr_retry", tsr_retry);
            if f.is_loading() {
                *tsr_retry = MAX_RETRIES.min(*tsr_retry);
            }
            f.u8("thr", thr);
            f.u8("tsr", tsr);
        });

        for (name, field, fifo) in [
            ("serial/recv_fifo", "recv_fifo", receiver),
            ("serial/xmit_fifo", "xmit_fifo", transmitter),
        ] {
            let needed = Condition::new("not empty", !fifo.is_empty());
            f.subsection(subsection(name), needed, |f| {
                f.structure(field, FIFO, |f| fifo_fields(f, fifo));
            });
        }

        let needed = Condition::new("running", fifo_timeout.is_some());
        f.subsection(subsection("serial/fifo_timeout_timer"), needed, |f| {
            f.timer("fifo_timeout_timer", fifo_timeout);
        });

        let needed = Condition::new("pending", *timeout_pending);
        f.subsection(subsection("serial/timeout_ipending"), needed, |f| {
            truth(f, "timeout_ipending", timeout_pending);
        });

        let needed = Condition::new("the stream has modem lines", *poll_msl >= 0);
        f.subsection(subsection("serial/poll"), needed, |f| {
            f.i32("poll_msl", poll_msl);
            f.timer("modem_status_poll", modem_poll);
        });
    }

    /// What no single field tells. QEMU has the first two rules and ends itself
    /// where the third is broken.
    pub(crate) fn check(&self) -> Result<(), String> {
        let (lsr, retries) = (u8::from(self.lsr), self.tsr_retry);
        if self.lsr.temt() != (retries == 0) {
            let expected = if retries == 0 { "set" } else { "clear" };
            return Err(format!(
                "lsr {lsr:#04x} with tsr_retry {retries}: bit 6 (transmitter empty) expected {expected}"
            ));
        }
        if retries > 0 && self.fcr.enable() && self.transmitter.is_empty() && !self.lsr.thre() {
            return Err(format!("lsr {lsr:#04x} with an empty xmit_fifo: bit 5 expected set"));
        }
        Ok(())
    }
}

/// A register, which is a byte in the stream.
fn register<R: Copy + From<u8> + Into<u8>>(f: &mut Fields<'_>, name: &'static str, value: &mut R) {
    let mut byte = (*value).into();
    f.u8(name, &mut byte);
    *value = byte.into();
}

/// A truth value that QEMU keeps in an `int`.
fn truth(f: &mut Fields<'_>, name: &'static str, value: &mut bool) {
    let mut number = i32::from(*value);
    f.i32(name, &mut number);
    *value = number != 0;
}

/// QEMU loads any position and count, and reads beyond the buffer later.
fn fifo_fields(f: &mut Fields<'_>, fifo: &mut Fifo) {
    let Fifo { data, head, count } = fifo;
    f.buffer("data", "buffer", data);
    f.u32("head", head);
    f.check(*head < CAPACITY, || format!("{head} found, 0 to {} expected", CAPACITY - 1));
    f.u32("num", count);
    f.check(*count <= CAPACITY, || format!("{count} found, 0 to {CAPACITY} expected"));
}
