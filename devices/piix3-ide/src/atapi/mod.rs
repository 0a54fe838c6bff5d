//! Packet commands of a CD-ROM drive (ATA/ATAPI-4, 8.19; MMC-2, clause 9).

mod answers;
mod disc;
mod inquiry;
mod transfer;

use southbridge_sdk::Context;

use crate::channel::Channel;
use crate::drive::{Drive, Status};

/// Operation codes that more than the dispatcher knows.
pub(crate) mod code {
    pub(crate) const READ_10: u8 = 0x28;
    pub(crate) const READ_12: u8 = 0xa8;
    pub(crate) const READ_CD: u8 = 0xbe;
}

/// Sense keys (SPC-2, 7.23.2).
mod key {
    pub(super) const NONE: u8 = 0;
    pub(super) const NOT_READY: u8 = 2;
    pub(super) const ILLEGAL_REQUEST: u8 = 5;
    pub(super) const UNIT_ATTENTION: u8 = 6;
}

/// Additional sense codes.
mod sense {
    pub(super) const ILLEGAL_OPCODE: u8 = 0x20;
    pub(super) const OUT_OF_RANGE: u8 = 0x21;
    pub(super) const INVALID_FIELD: u8 = 0x24;
    pub(super) const MEDIUM_MAY_HAVE_CHANGED: u8 = 0x28;
    pub(super) const INCOMPATIBLE_FORMAT: u8 = 0x30;
    pub(super) const SAVING_NOT_SUPPORTED: u8 = 0x39;
    pub(super) const MEDIUM_NOT_PRESENT: u8 = 0x3a;
    pub(super) const DATA_PHASE_ERROR: u8 = 0x4b;
    pub(super) const REMOVAL_PREVENTED: u8 = 0x53;
}

/// Interrupt reason in the sector count register: the command is over (I/O and C/D).
const REASON: u32 = 7;
const OVER: u32 = 3;
const TO_GUEST: u32 = 2;

/// An error register for a pending unit attention: medium change requested, with the
/// sense key above.
const ATTENTION: u8 = 0x20 | key::UNIT_ATTENTION << 4;

/// The most 512-byte sectors of a disc that is a CD, of 80 minutes.
const CD: u64 = 80 * 60 * 75 * 4;

/// How a packet command answers.
enum Answer {
    /// It is over.
    Done,
    /// So many bytes of the buffer, and so many the guest takes at most.
    Reply(u32, u32),
    /// Sense key and additional code.
    Failed(u8, u8),
    /// Blocks from the medium: the first one, how many, and bytes of each.
    Blocks(u32, u32, i32),
    /// It needs a byte count, and there is none.
    Aborted,
}

/// The command cannot be carried out as it stands.
const INVALID: Answer = Answer::Failed(key::ILLEGAL_REQUEST, sense::INVALID_FIELD);

/// What the dispatcher does before a command.
struct Rules {
    /// It is carried out while a unit attention is pending.
    with_attention: bool,
    /// It needs a medium.
    ready: bool,
    /// It moves data.
    data: bool,
}

const fn rules(operation: u8) -> Option<Rules> {
    let (with_attention, ready, data) = match operation {
        0x00 | 0x2b => (false, true, false),
        0x03 | 0x12 | 0x46 | 0x4a => (true, false, true),
        0x1b | 0x1e | 0xbb => (false, false, false),
        0x25 | code::READ_10 | 0x43 | 0x51 | code::READ_12 | 0xad => (false, true, true),
        0x5a | 0xbd => (false, false, true),
        // Whether it moves data depends on what it asks for.
        code::READ_CD => (false, true, false),
        _ => return None,
    };
    Some(Rules { with_attention, ready, data })
}

impl Channel {
    /// Carries out the packet in the buffer.
    pub(crate) fn packet(&mut self, cx: &mut Context<'_>) {
        let number = self.drive_number(self.unit);
        let drive = self.drive();
        let mut command = [0; 12];
        command.copy_from_slice(&drive.transfer.buffer[..12]);
        drive.packet.command = command;
        let rules = rules(command[0]);
        let with_attention = rules.as_ref().is_some_and(|rules| rules.with_attention);
        let packet = &mut drive.packet;
        if packet.key == key::UNIT_ATTENTION && !with_attention {
            drive.error = ATTENTION;
            drive.status = Status::new().with_error(true);
            drive.sectors = 0;
            return self.request_interrupt(cx);
        }
        if !with_attention && !packet.tray_open && drive.medium.is_some() && packet.changed != 0 {
            // A guest that does not ask for events sees that the disc has gone, then
            // that there is another one.
            let (next, key, code) = match packet.changed {
                1 => (2, key::NOT_READY, sense::MEDIUM_NOT_PRESENT),
                _ => (0, key::UNIT_ATTENTION, sense::MEDIUM_MAY_HAVE_CHANGED),
            };
            packet.changed = next;
            return self.fail_packet(cx, key, code);
        }
        let Some(rules) = rules else {
            return self.fail_packet(cx, key::ILLEGAL_REQUEST, sense::ILLEGAL_OPCODE);
        };
        if rules.ready && !drive.is_ready() {
            return self.fail_packet(cx, key::NOT_READY, sense::MEDIUM_NOT_PRESENT);
        }
        let answer = if rules.data && !drive.has_byte_count() {
            Answer::Aborted
        } else if command[0] == 0x1b {
            drive.start_stop(&command, |open| cx.drive_tray(number, open))
        } else if command[0] == 0x1e {
            drive.packet.tray_locked = command[4] & 1 != 0;
            cx.drive_lock(number, drive.packet.tray_locked);
            Answer::Done
        } else {
            drive.answer(&command)
        };
        match answer {
            Answer::Done => self.end_packet(cx),
            Answer::Reply(size, most) => self.reply(cx, size.min(most)),
            Answer::Failed(key, code) => self.fail_packet(cx, key, code),
            Answer::Blocks(first, count, size) => self.read_blocks(cx, first, count, size),
            Answer::Aborted => self.drive().abort(),
        }
    }

    /// The command is over, without an error.
    fn end_packet(&mut self, cx: &mut Context<'_>) {
        let drive = self.drive();
        drive.error = 0;
        drive.stop_transfer();
        drive.status = Status::DONE;
        drive.sectors = drive.sectors & !REASON | OVER;
        self.request_interrupt(cx);
    }

    /// The command is over, with an error.
    fn fail_packet(&mut self, cx: &mut Context<'_>, key: u8, code: u8) {
        let drive = self.drive();
        drive.error = key << 4;
        drive.stop_transfer();
        drive.status = Status::FAILED;
        drive.sectors = drive.sectors & !REASON | OVER;
        (drive.packet.key, drive.packet.code) = (key, code);
        self.request_interrupt(cx);
    }

    /// The medium could not be read.
    fn fail_reading(&mut self, cx: &mut Context<'_>) {
        match self.selected().medium {
            Some(_) => self.fail_packet(cx, key::ILLEGAL_REQUEST, sense::OUT_OF_RANGE),
            None => self.fail_packet(cx, key::NOT_READY, sense::MEDIUM_NOT_PRESENT),
        }
    }
}

impl Drive {
    /// Whether there is a disc in a closed tray.
    fn is_ready(&self) -> bool {
        !self.packet.tray_open && self.total() != 0
    }

    /// The most bytes the guest takes at once (ATA/ATAPI-4, 8.19.4).
    fn byte_count(&self) -> i32 {
        match u16::from_le_bytes([self.cylinder_low.current, self.cylinder_high.current]) {
            0xffff => 0xfffe,
            count => count.into(),
        }
    }

    fn has_byte_count(&self) -> bool {
        self.packet.dma || self.byte_count() != 0
    }

    /// Blocks of 2048 bytes on the medium.
    fn blocks(&self) -> u64 {
        self.total() >> 2
    }

    /// START STOP UNIT (MMC-2, 9.1.26): the tray.
    fn start_stop(&mut self, command: &[u8; 12], tell: impl FnOnce(bool)) -> Answer {
        let (start, eject) = (command[4] & 1 != 0, command[4] & 2 != 0);
        let power = command[4] & 0xf0;
        if power != 0 || !eject {
            return Answer::Done;
        }
        let packet = &mut self.packet;
        if !start && !packet.tray_open && packet.tray_locked {
            let inserted = self.medium.is_some();
            let key = if inserted { key::NOT_READY } else { key::ILLEGAL_REQUEST };
            return Answer::Failed(key, sense::REMOVAL_PREVENTED);
        }
        if packet.tray_open == start {
            packet.tray_open = !start;
            tell(!start);
        }
        Answer::Done
    }
}
