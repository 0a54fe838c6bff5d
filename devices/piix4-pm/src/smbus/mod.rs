//! The SMBus host controller: its registers. QEMU's is a PIIX4's with parts of
//! an ICH9's, and it interrupts nobody.

mod i2c;
mod protocol;
mod transaction;

use southbridge_sdk::Context;

pub(crate) use i2c::{I2cBus, IDLE};
use protocol::BLOCK;

use crate::regs::{self, HOST_CONTROL_READABLE, HostControl, HostStatus};

/// The controller. A system reset leaves it alone.
#[derive(Clone, Debug)]
pub(crate) struct Smbus {
    pub(crate) stat: HostStatus,
    pub(crate) ctl: HostControl,
    pub(crate) cmd: u8,
    pub(crate) addr: u8,
    pub(crate) data0: u8,
    pub(crate) data1: u8,
    /// The position in `data`.
    pub(crate) index: u32,
    pub(crate) data: [u8; BLOCK],
    pub(crate) auxctl: u8,
    pub(crate) blkdata: u8,
    /// Blocks are plain I2C transfers. Always false on a PIIX4.
    pub(crate) i2c_enable: bool,
    /// No block is under way.
    pub(crate) op_done: bool,
    pub(crate) in_i2c_block_read: bool,
    /// A transaction waits for the next read of the status.
    pub(crate) start_on_status_read: bool,
    pub(crate) bus: I2cBus,
}

impl Smbus {
    pub(crate) fn new() -> Self {
        Self {
            stat: HostStatus::new(),
            ctl: HostControl::new(),
            cmd: 0,
            addr: 0,
            data0: 0,
            data1: 0,
            index: 0,
            data: [0; BLOCK],
            auxctl: regs::smbus::AUX_E32B,
            blkdata: 0,
            i2c_enable: false,
            op_done: true,
            in_i2c_block_read: false,
            start_on_status_read: false,
            bus: I2cBus::default(),
        }
    }

    /// Reads a register.
    pub(crate) fn read(&mut self, cx: &mut Context<'_>, offset: u64) -> u8 {
        match offset {
            regs::smbus::HSTSTS => self.read_status(cx),
            regs::smbus::HSTCNT => self.ctl.into_bits() & HOST_CONTROL_READABLE,
            regs::smbus::HSTCMD => self.cmd,
            regs::smbus::HSTADD => self.addr,
            regs::smbus::HSTDAT0 => self.data0,
            regs::smbus::HSTDAT1 => self.data1,
            regs::smbus::BLKDAT => self.read_block_data(),
            regs::smbus::AUXCTL => self.auxctl,
            _ => 0,
        }
    }

    /// Writes a register.
    pub(crate) fn write(&mut self, cx: &mut Context<'_>, offset: u64, value: u8) {
        match offset {
            regs::smbus::HSTSTS => self.write_status(cx, value),
            regs::smbus::HSTCNT => self.write_control(cx, HostControl::from_bits(value)),
            regs::smbus::HSTCMD => self.cmd = value,
            regs::smbus::HSTADD => self.addr = value,
            regs::smbus::HSTDAT0 => self.data0 = value,
            regs::smbus::HSTDAT1 => self.data1 = value,
            regs::smbus::BLKDAT => self.write_block_data(value),
            regs::smbus::AUXCTL => self.auxctl = value & regs::smbus::AUX_WRITABLE,
            _ => {}
        }
    }

    fn buffered(&self) -> bool {
        self.auxctl & regs::smbus::AUX_E32B != 0
    }

    /// The status before a waiting transaction, which then runs. Some firmware
    /// waits to see the controller busy before it waits for the end.
    fn read_status(&mut self, cx: &mut Context<'_>) -> u8 {
        let status = self.stat;
        if std::mem::take(&mut self.start_on_status_read) {
            self.stat.set_host_busy(false);
            self.run(cx);
        }
        status.into_bits()
    }

    fn write_status(&mut self, cx: &mut Context<'_>, value: u8) {
        let written = HostStatus::from_bits(value);
        let next_byte = self.stat.byte_done() && written.byte_done();
        let cleared = written.with_host_busy(false).into_bits();
        self.stat = HostStatus::from_bits(self.stat.into_bits() & !cleared);
        let byte_by_byte = !self.op_done && (self.in_i2c_block_read || !self.buffered());
        if next_byte && byte_by_byte {
            self.next_byte(cx);
        }
    }

    fn write_control(&mut self, cx: &mut Context<'_>, value: HostControl) {
        self.ctl = value.with_start(false);
        if value.start() {
            self.abandon_block(cx);
            if value.intren() {
                self.run(cx);
                self.start_on_status_read = false;
            } else {
                self.stat.set_host_busy(true);
                self.start_on_status_read = true;
            }
        }
        if value.kill() {
            self.op_done = true;
            self.index = 0;
            self.stat.set_failed(true);
            self.stat.set_host_busy(false);
        }
    }

    fn read_block_data(&mut self) -> u8 {
        if !self.buffered() || self.in_i2c_block_read {
            return self.blkdata;
        }
        let value = self.data[self.position()];
        self.index += 1;
        if !self.op_done && self.index == u32::from(self.data0) {
            self.op_done = true;
            self.index = 0;
            self.stat.set_host_busy(false);
        }
        value
    }

    fn write_block_data(&mut self, value: u8) {
        let position = self.position();
        if self.buffered() {
            self.data[position] = value;
            self.index += 1;
        } else {
            self.blkdata = value;
        }
    }

    /// The position in `data`; beyond the end it is back at the start.
    fn position(&mut self) -> usize {
        if self.index >= BLOCK as u32 {
            self.index = 0;
        }
        self.index as usize
    }
}
