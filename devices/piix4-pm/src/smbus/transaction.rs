//! Running a transaction.

use southbridge_sdk::Context;

use super::Smbus;
use super::protocol::NoAcknowledge;
use crate::regs::protocol;

/// Why a transaction ends with DEV_ERR.
struct DeviceError;

impl From<NoAcknowledge> for DeviceError {
    fn from(NoAcknowledge: NoAcknowledge) -> Self {
        Self
    }
}

impl Smbus {
    /// Runs the transaction the registers describe. DEV_ERR of an earlier one
    /// keeps it from running.
    pub(super) fn run(&mut self, cx: &mut Context<'_>) {
        let result = if self.stat.dev_err() { Err(DeviceError) } else { self.transact(cx) };
        if result.is_err() {
            self.stat.set_dev_err(true);
        }
    }

    const fn address(&self) -> u8 {
        self.addr >> 1
    }

    const fn reads(&self) -> bool {
        self.addr & 1 != 0
    }

    fn transact(&mut self, cx: &mut Context<'_>) -> Result<(), DeviceError> {
        let (address, command) = (self.address(), self.cmd);
        match (self.ctl.protocol(), self.reads()) {
            (protocol::QUICK, read) => self.bus.quick(cx, address, read)?,
            (protocol::BYTE, true) => self.data0 = self.bus.receive_byte(cx, address)?,
            (protocol::BYTE, false) => self.bus.write(cx, address, [command])?,
            (protocol::BYTE_DATA, true) => [self.data0] = self.bus.read(cx, address, command)?,
            (protocol::BYTE_DATA, false) => self.bus.write(cx, address, [command, self.data0])?,
            (protocol::WORD_DATA, true) => {
                [self.data0, self.data1] = self.bus.read(cx, address, command)?;
            }
            (protocol::WORD_DATA, false) => {
                self.bus.write(cx, address, [command, self.data0, self.data1])?;
            }
            (protocol::BLOCK, true) => return self.block_read(cx),
            (protocol::BLOCK, false) => return self.block_write(cx),
            // The direction bit does not matter here: drivers disagree on it.
            (protocol::I2C_READ, _) => return self.i2c_read(cx),
            _ => return Err(DeviceError),
        }
        self.stat.set_inter(true);
        Ok(())
    }

    fn block_read(&mut self, cx: &mut Context<'_>) -> Result<(), DeviceError> {
        let (address, command) = (self.address(), self.cmd);
        let length = self.bus.read_block(cx, address, command, &mut self.data, self.i2c_enable)?;
        self.index = 0;
        self.op_done = false;
        if self.buffered() {
            self.stat.set_inter(true);
        } else {
            self.blkdata = self.data[0];
            self.offer_byte();
        }
        self.data0 = length;
        Ok(())
    }

    fn block_write(&mut self, cx: &mut Context<'_>) -> Result<(), DeviceError> {
        if !self.buffered() {
            self.op_done = false;
            self.offer_byte();
            self.data[0] = self.blkdata;
            self.index = 0;
            return Ok(());
        }
        // The buffer has to hold what the length says.
        let filled = std::mem::take(&mut self.index);
        if filled != u32::from(self.data0) {
            return Err(DeviceError);
        }
        self.send_block(cx)
    }

    /// Sends the collected block.
    fn send_block(&mut self, cx: &mut Context<'_>) -> Result<(), DeviceError> {
        let (address, command) = (self.address(), self.cmd);
        let Self { data, data0, i2c_enable, .. } = *self;
        self.bus.write_block(cx, address, command, &data, data0, i2c_enable)?;
        self.end_block();
        Ok(())
    }

    /// Begins a read that goes byte by byte and keeps the bus until it ends.
    /// DAT1 is the offset.
    fn i2c_read(&mut self, cx: &mut Context<'_>) -> Result<(), DeviceError> {
        let address = self.address();
        let begun = self.bus.start(cx, address, false)
            && self.bus.send(cx, self.data1)
            && self.bus.start(cx, address, true);
        if !begun {
            return Err(DeviceError);
        }
        self.in_i2c_block_read = true;
        self.blkdata = self.bus.receive(cx);
        self.op_done = false;
        self.offer_byte();
        Ok(())
    }

    /// The guest has dealt with a byte: the next one.
    pub(super) fn next_byte(&mut self, cx: &mut Context<'_>) {
        self.index = self.index.wrapping_add(1);
        let position = self.position();
        if self.reads() || self.in_i2c_block_read {
            self.blkdata = match self.in_i2c_block_read {
                true => self.bus.receive(cx),
                false => self.data[position],
            };
            if self.ctl.last_byte() {
                self.end_read(cx);
            } else {
                self.stat.set_byte_done(true);
            }
        } else if self.index == u32::from(self.data0) {
            let sent = match self.ctl.protocol() {
                protocol::I2C_READ => Err(DeviceError),
                _ => self.send_block(cx),
            };
            if sent.is_err() {
                self.stat.set_dev_err(true);
            }
        } else {
            self.data[position] = self.blkdata;
            self.stat.set_byte_done(true);
        }
    }

    fn end_read(&mut self, cx: &mut Context<'_>) {
        if std::mem::take(&mut self.in_i2c_block_read) {
            self.bus.nack(cx);
            self.bus.stop(cx);
        }
        self.index = 0;
        self.end_block();
    }

    fn end_block(&mut self) {
        self.op_done = true;
        self.stat.set_inter(true);
        self.stat.set_host_busy(false);
    }

    fn offer_byte(&mut self) {
        self.stat.set_host_busy(true);
        self.stat.set_byte_done(true);
    }

    /// A new transaction takes the place of a block that was not finished.
    pub(super) fn abandon_block(&mut self, cx: &mut Context<'_>) {
        if self.op_done {
            return;
        }
        self.index = 0;
        self.op_done = true;
        if std::mem::take(&mut self.in_i2c_block_read) {
            self.bus.stop(cx);
        }
    }
}
