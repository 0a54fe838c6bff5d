//! The registers as the guest reaches them, and the reset (data sheet, "Registers" and
//! "Reset").

use southbridge_sdk::Context;

use crate::drive::Drive;
use crate::regs::{BOOT_SELECT, DISK_CHANGE, Direction, Dor, Dsr, Msr, Srb, St0, offset};
use crate::{Fdc, HIGH, HIGH_OFFSET, IRQ, LOW_OFFSET, RESULT};

/// How many SENSE INTERRUPT follow a reset, one for each drive that is polled.
pub(crate) const RESET_SENSES: u8 = 4;

/// The first register of a region, and the one behind its last.
const fn bounds(region: u32) -> (u64, u64) {
    if region == HIGH { (HIGH_OFFSET, HIGH_OFFSET + 1) } else { (LOW_OFFSET, offset::FIFO + 1) }
}

impl Fdc {
    /// Two bytes are two registers as far as the region goes, and four are none.
    pub(crate) fn read_ports(
        &mut self,
        cx: &mut Context<'_>,
        region: u32,
        at: u64,
        size: u8,
    ) -> u64 {
        let (first, end) = bounds(region);
        let at = first + at;
        match size {
            1 => self.read(cx, at).into(),
            2 => {
                let low = self.read(cx, at);
                let high = if at + 1 < end { self.read(cx, at + 1) } else { 0xff };
                u16::from_le_bytes([low, high]).into()
            }
            _ => u64::MAX,
        }
    }

    pub(crate) fn write_ports(
        &mut self,
        cx: &mut Context<'_>,
        region: u32,
        at: u64,
        size: u8,
        value: u64,
    ) {
        let (first, end) = bounds(region);
        let at = first + at;
        if size <= 2 {
            self.write(cx, at, value as u8);
        }
        if size == 2 && at + 1 < end {
            self.write(cx, at + 1, (value >> 8) as u8);
        }
    }

    fn read(&mut self, cx: &mut Context<'_>, at: u64) -> u8 {
        match at {
            offset::SRB => self.srb.into(),
            offset::DOR => self.selected(),
            offset::TDR => self.tdr,
            offset::MSR_DSR => self.read_main_status(),
            offset::FIFO => self.read_fifo(cx),
            offset::DIR_CCR if self.drive().media_changed != 0 => DISK_CHANGE,
            offset::DIR_CCR => 0,
            _ => 0xff,
        }
    }

    fn write(&mut self, cx: &mut Context<'_>, at: u64, byte: u8) {
        match at {
            offset::DOR => self.write_output(cx, byte.into()),
            offset::FIFO => self.write_fifo(cx, byte),
            // The others cannot be written while the controller is held in reset.
            _ if !self.dor.not_reset() => {}
            offset::TDR => self.tdr = byte & BOOT_SELECT,
            offset::MSR_DSR => self.write_rate(cx, byte.into()),
            offset::DIR_CCR => self.dsr.set_rate(Dsr::from(byte).rate()),
            _ => {}
        }
    }

    /// The digital output register with the drive that is current by now.
    pub(crate) fn selected(&self) -> u8 {
        u8::from(self.dor) | u8::from(self.second)
    }

    /// A read ends the power-down and, in QEMU, the reset.
    fn read_main_status(&mut self) -> u8 {
        self.dsr.set_power_down(false);
        self.dor.set_not_reset(true);
        self.msr.with_request(self.is_ready()).into()
    }

    fn write_output(&mut self, cx: &mut Context<'_>, new: Dor) {
        self.srb.set_motor_0(new.motor_0());
        self.srb.set_motor_1(new.motor_1());
        self.srb.set_drive_select_0(new.drive());
        if new.not_reset() && !self.dor.not_reset() {
            self.reset_controller(cx, true);
            self.dsr.set_power_down(false);
        }
        self.second = new.drive();
        self.dor = new;
    }

    fn write_rate(&mut self, cx: &mut Context<'_>, new: Dsr) {
        if new.software_reset() {
            self.reset_controller(cx, true);
        }
        if new.power_down() {
            self.reset_controller(cx, true);
        }
        self.dsr = new;
    }

    /// Resets the controller; one that the guest asks for ends with an interrupt,
    /// as if polling had found every drive changed.
    pub(crate) fn reset_controller(&mut self, cx: &mut Context<'_>, interrupts: bool) {
        self.lower_irq(cx);
        self.second = false;
        self.sra = self.sra.with_no_drive_2(!self.drives[1].connected);
        self.srb = Srb::RESET;
        self.dor = Dor::new().with_not_reset(true).with_dma(true);
        self.msr = Msr::new();
        self.reset_sensei = 0;
        self.result_timer = None;
        cx.disarm(RESULT);
        self.multi_track = false;
        self.direction = Direction::Write;
        self.drives.iter_mut().for_each(Drive::recalibrate);
        self.await_command();
        self.requests.abandon();
        if interrupts {
            self.status0 = self.status0.or(St0::POLLED);
            self.raise_irq(cx);
            self.reset_sensei = RESET_SENSES;
        }
    }

    pub(crate) fn lower_irq(&mut self, cx: &mut Context<'_>) {
        self.status0 = St0::NORMAL;
        if self.sra.interrupt_pending() {
            self.sra.set_interrupt_pending(false);
            cx.set_line(IRQ, false);
        }
    }

    pub(crate) fn raise_irq(&mut self, cx: &mut Context<'_>) {
        if !self.sra.interrupt_pending() {
            self.sra.set_interrupt_pending(true);
            cx.set_line(IRQ, true);
        }
        self.reset_sensei = 0;
    }
}
