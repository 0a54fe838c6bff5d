//! The FIFO port, and the phases of a command (data sheet, "Controller phases").

use southbridge_sdk::Context;

use crate::Fdc;
use crate::commands::Command;
use crate::drive::SECTOR;
use crate::regs::{Direction, Phase};

impl Fdc {
    /// Whether the guest may access the FIFO: not while it waits for a medium.
    pub(crate) fn is_ready(&self) -> bool {
        self.msr.request() && !self.requests.is_waiting()
    }

    /// Where in the FIFO the next byte is.
    pub(crate) fn position(&self) -> usize {
        self.data_pos as usize % SECTOR
    }

    /// The next byte is the first of a command.
    pub(crate) fn await_command(&mut self) {
        self.phase = Phase::Command;
        self.direction = Direction::Write;
        (self.data_pos, self.data_len) = (0, 1);
        self.msr = self.msr.with_command_busy(false).with_to_host(false).with_request(true);
    }

    /// The guest reads what is at the beginning of the FIFO.
    pub(crate) fn show_result(&mut self, length: u32) {
        self.phase = Phase::Result;
        self.direction = Direction::Read;
        (self.data_pos, self.data_len) = (0, length);
        self.msr = self.msr.with_command_busy(true).with_to_host(true).with_request(true);
    }

    pub(crate) fn read_fifo(&mut self, cx: &mut Context<'_>) -> u8 {
        self.drive();
        self.dsr.set_power_down(false);
        if !self.is_ready() || !self.msr.to_host() {
            return 0;
        }
        let position = self.position();
        match self.phase {
            Phase::Command => return 0,
            Phase::Execution => {
                if position == 0 && !self.begin_sector() {
                    return 0;
                }
                self.data_pos = self.data_pos.wrapping_add(1);
                if self.data_pos == self.data_len {
                    // The result takes the place of the last bytes, as in QEMU.
                    self.finish_transfer(cx);
                }
            }
            Phase::Result => {
                self.data_pos = self.data_pos.wrapping_add(1);
                if self.data_pos == self.data_len {
                    self.await_command();
                    self.lower_irq(cx);
                }
            }
        }
        self.fifo[position]
    }

    pub(crate) fn write_fifo(&mut self, cx: &mut Context<'_>, byte: u8) {
        if !self.dor.not_reset() || !self.is_ready() || self.msr.to_host() {
            return;
        }
        self.dsr.set_power_down(false);
        let position = self.position();
        self.fifo[position] = byte;
        self.data_pos = self.data_pos.wrapping_add(1);
        let is_last = self.data_pos == self.data_len;
        if is_last {
            self.msr.set_request(false);
        }
        match self.phase {
            Phase::Execution if position == SECTOR - 1 || is_last => self.write_sector(cx),
            Phase::Execution | Phase::Result => {}
            Phase::Command => self.take_parameter(cx, position, byte),
        }
    }

    fn take_parameter(&mut self, cx: &mut Context<'_>, position: usize, byte: u8) {
        if position == 0 {
            let parameters = Command::of(byte).parameters();
            self.data_len = parameters + 1;
            self.msr.set_command_busy(true);
            self.msr.set_request(parameters > 0);
        }
        if self.data_pos == self.data_len {
            self.phase = Phase::Execution;
            self.execute(cx, Command::of(self.fifo[0]));
        }
    }
}
