//! One of the three channels.

use crate::regs::{Control, Status};
use crate::waveform::{LARGEST, Waveform};

/// Which byte of a count is accessed: RW1 and RW0 of the control word, and what
/// they become between two bytes. What a channel has before its first control
/// word is the low byte, too.
pub(crate) mod access {
    pub(crate) const LATCH: u8 = 0;
    pub(crate) const HIGH: u8 = 2;
    pub(crate) const BOTH: u8 = 3;
    /// The high byte of both.
    pub(crate) const SECOND: u8 = 4;
}

/// A channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Channel {
    pub(crate) waveform: Waveform,
    pub(crate) latch: u16,
    /// Which bytes of the latch are to be read; 0 if it is not in use.
    pub(crate) latched: u8,
    pub(crate) status: Option<Status>,
    /// The status byte latched last, which stays in the saved state.
    pub(crate) last_status: Status,
    pub(crate) reads: u8,
    pub(crate) writes: u8,
    /// The low byte of a count whose high byte is to come.
    pub(crate) low: u8,
    pub(crate) access: u8,
    pub(crate) bcd: bool,
    pub(crate) gate: bool,
    /// When the output changes next, as of when it was driven last: -1 if it
    /// does not. Channel 0 only.
    pub(crate) next_change: i64,
}

impl Default for Channel {
    fn default() -> Self {
        Self {
            waveform: Waveform { count: LARGEST, mode: 3, loaded_at: 0 },
            latch: 0,
            latched: 0,
            status: None,
            last_status: Status::new(),
            reads: 0,
            writes: 0,
            low: 0,
            access: 0,
            bcd: false,
            gate: false,
            next_change: 0,
        }
    }
}

impl Channel {
    /// A reset of the machine. The data sheet has none: what it is not about
    /// stays.
    pub(crate) fn reset(&mut self, now: u64, gate: bool) {
        self.waveform = Waveform { count: LARGEST, mode: 3, loaded_at: now as i64 };
        self.gate = gate;
    }

    /// Takes a control word that selects this channel.
    pub(crate) fn control(&mut self, word: Control, now: u64) {
        if word.access() == access::LATCH {
            self.latch_count(now);
            return;
        }
        self.access = word.access();
        (self.reads, self.writes) = (self.access, self.access);
        self.waveform.mode = word.mode();
        self.bcd = word.bcd();
    }

    /// A count that is latched stays so until it has been read.
    pub(crate) fn latch_count(&mut self, now: u64) {
        if self.latched == 0 {
            self.latch = self.waveform.value(now);
            self.latched = self.access;
        }
    }

    pub(crate) fn latch_status(&mut self, output: bool) {
        if self.status.is_none() {
            let status = Status::new().with_bcd(self.bcd).with_mode(self.waveform.mode);
            self.last_status = status.with_access(self.access).with_output(output);
            self.status = Some(self.last_status);
        }
    }

    /// A read of the channel's port.
    pub(crate) fn read(&mut self, now: u64) -> u8 {
        if let Some(status) = self.status.take() {
            return status.into();
        }
        let (bytes, reads) = match self.latched {
            0 => (self.waveform.value(now), self.reads),
            latched => (self.latch, latched),
        };
        let [low, high] = bytes.to_le_bytes();
        let (byte, next) = match reads {
            access::HIGH => (high, access::HIGH),
            access::BOTH => (low, access::SECOND),
            access::SECOND => (high, access::BOTH),
            other => (low, other),
        };
        if self.latched == 0 {
            self.reads = next;
        } else {
            self.latched = if reads == access::BOTH { access::HIGH } else { 0 };
        }
        byte
    }

    /// A write to the channel's port. Returns whether it has loaded a count.
    pub(crate) fn write(&mut self, byte: u8, now: u64) -> bool {
        let count = match self.writes {
            access::HIGH => u16::from_be_bytes([byte, 0]),
            access::BOTH => {
                (self.low, self.writes) = (byte, access::SECOND);
                return false;
            }
            access::SECOND => {
                self.writes = access::BOTH;
                u16::from_be_bytes([byte, self.low])
            }
            _ => byte.into(),
        };
        self.waveform.count = if count == 0 { LARGEST } else { count.into() };
        self.waveform.loaded_at = now as i64;
        true
    }

    /// The gate has a level. In the modes that it triggers, a rising edge begins
    /// the count again; in the others QEMU does not stop it.
    pub(crate) fn set_gate(&mut self, level: bool, now: u64) {
        if level && !self.gate && matches!(self.waveform.mode, 1 | 2 | 3 | 5) {
            self.waveform.loaded_at = now as i64;
        }
        self.gate = level;
    }
}
