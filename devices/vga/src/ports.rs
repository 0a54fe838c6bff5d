//! The VGA's ports.

use crate::core::{Core, Dac};
use crate::regs::graphics;
use crate::regs::{AttributeAddress, MiscellaneousOutput, RETRACE, attribute, crtc, sequencer};

impl Core {
    /// Whether the CRT controller is at the other addresses, monochrome or
    /// colour.
    fn is_elsewhere(&self, port: u16) -> bool {
        let other = if self.msr.colour() { 0x3b0 } else { 0x3d0 };
        port & 0xfff0 == other
    }

    /// Reads a port.
    pub(crate) fn port_read(&mut self, port: u16) -> u8 {
        if self.is_elsewhere(port) {
            return 0xff;
        }
        match port {
            0x3c0 if !self.ar_flip_flop => self.ar_index.into_bits(),
            0x3c1 => self.ar.get(self.ar_index.index()).copied().unwrap_or(0),
            0x3c2 => self.st00,
            0x3c4 => self.sr_index,
            0x3c5 => self.sr[usize::from(self.sr_index & 7)],
            0x3c7 => self.dac.state,
            0x3c8 => self.dac.write_index,
            0x3c9 => self.dac.read(),
            0x3ca => self.fcr,
            0x3cc => self.msr.into_bits(),
            0x3ce => self.gr_index,
            0x3cf => self.gr[usize::from(self.gr_index & 15)],
            0x3b4 | 0x3d4 => self.cr_index,
            0x3b5 | 0x3d5 => self.cr[usize::from(self.cr_index)],
            0x3ba | 0x3da => {
                self.ar_flip_flop = false;
                self.st01 ^= RETRACE;
                self.st01
            }
            _ => 0,
        }
    }

    /// Writes a port.
    pub(crate) fn port_write(&mut self, port: u16, value: u8) {
        if self.is_elsewhere(port) {
            return;
        }
        match port {
            0x3c0 => self.attribute_write(value),
            0x3c2 => self.msr = MiscellaneousOutput::from_bits(value & !0x10),
            0x3c4 => self.sr_index = value & 7,
            0x3c5 => {
                let index = usize::from(self.sr_index & 7);
                self.sr[index] = value & sequencer::WRITABLE[index];
                self.look_at_window();
            }
            0x3c7 => {
                self.dac.read_index = value;
                self.dac.sub_index = 0;
                self.dac.state = Dac::READING;
            }
            0x3c8 => {
                self.dac.write_index = value;
                self.dac.sub_index = 0;
                self.dac.state = Dac::WRITING;
            }
            0x3c9 => self.dac.write(value),
            0x3ce => self.gr_index = value & 15,
            0x3cf => {
                let index = usize::from(self.gr_index & 15);
                self.gr[index] = value & graphics::WRITABLE[index];
                self.hold_registers();
                self.look_at_window();
            }
            0x3b4 | 0x3d4 => self.cr_index = value,
            0x3b5 | 0x3d5 => self.crtc_write(value),
            0x3ba | 0x3da => self.fcr = value & 0x10,
            _ => {}
        }
    }

    fn attribute_write(&mut self, value: u8) {
        if self.ar_flip_flop {
            let index = self.ar_index.index();
            if let Some(register) = self.ar.get_mut(index) {
                *register = value & attribute::writable(index);
            }
        } else {
            self.ar_index = AttributeAddress::from_bits(value & 0x3f);
        }
        self.ar_flip_flop = !self.ar_flip_flop;
    }

    fn crtc_write(&mut self, value: u8) {
        let index = usize::from(self.cr_index);
        let protected = self.cr[crtc::V_RETRACE_END] & crtc::PROTECT != 0;
        if !protected || index > crtc::OVERFLOW {
            self.cr[index] = value;
        } else if index == crtc::OVERFLOW {
            let bit = crtc::LINE_COMPARE_8;
            self.cr[index] = self.cr[index] & !bit | value & bit;
        } else {
            return;
        }
        self.hold_registers();
    }
}

impl Dac {
    /// State: the palette is being read.
    pub(crate) const READING: u8 = 3;
    /// State: the palette is being written.
    pub(crate) const WRITING: u8 = 0;

    fn read(&mut self) -> u8 {
        let at = 3 * usize::from(self.read_index) + usize::from(self.sub_index);
        let value = self.palette.get(at).copied().unwrap_or(0);
        if self.next() {
            self.read_index = self.read_index.wrapping_add(1);
        }
        value
    }

    fn write(&mut self, value: u8) {
        if let Some(place) = self.cache.get_mut(usize::from(self.sub_index)) {
            *place = value;
        }
        if self.next() {
            let at = 3 * usize::from(self.write_index);
            self.palette[at..at + 3].copy_from_slice(&self.cache);
            self.write_index = self.write_index.wrapping_add(1);
        }
    }

    /// Goes on to the next component; returns whether the colour is complete.
    fn next(&mut self) -> bool {
        self.sub_index = (self.sub_index + 1) % 3;
        self.sub_index == 0
    }
}
