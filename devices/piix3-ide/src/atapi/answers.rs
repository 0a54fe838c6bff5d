//! What the packet commands answer that move no blocks.

use super::transfer::{DATA, RAW};
use super::{Answer, CD, INVALID, code, key, sense};
use crate::drive::Drive;

/// Profiles (MMC-2, 5.3.1): a DVD-ROM, a CD-ROM.
const DVD_ROM: u8 = 0x10;
const CD_ROM: u8 = 0x08;

/// Two bytes of a command.
pub(super) fn be16(command: &[u8; 12], at: usize) -> u32 {
    u16::from_be_bytes([command[at], command[at + 1]]).into()
}

/// Four bytes of a command.
fn be32(command: &[u8; 12], at: usize) -> u32 {
    be16(command, at) << 16 | be16(command, at + 2)
}

impl Drive {
    /// Carries out a command but for those that reach the tray.
    pub(super) fn answer(&mut self, command: &[u8; 12]) -> Answer {
        match command[0] {
            0x03 => self.request_sense(command),
            0x12 => self.inquiry(command),
            0x25 => self.capacity(),
            code::READ_10 => self.read(command, be16(command, 7)),
            code::READ_12 => self.read(command, be32(command, 6)),
            0x2b if u64::from(be32(command, 2)) >= self.blocks() => {
                Answer::Failed(key::ILLEGAL_REQUEST, sense::OUT_OF_RANGE)
            }
            0x43 => self.table_of_contents(command),
            0x46 => self.configuration(command),
            0x4a => self.events(command),
            0x51 => self.disc_information(command),
            0x5a => self.mode_sense(command),
            0xad => self.dvd_structure(command),
            0xbd => {
                // No changer, no current block.
                self.put(&[0, 0, 0, 0, 0, 1, 0, 0]);
                Answer::Reply(8, be16(command, 8))
            }
            code::READ_CD => self.read_cd(command),
            _ => Answer::Done,
        }
    }

    fn request_sense(&mut self, command: &[u8; 12]) -> Answer {
        let mut answer = [0; 18];
        answer[0] = 0xf0;
        answer[2] = self.packet.key;
        answer[7] = 10;
        answer[12] = self.packet.code;
        self.put(&answer);
        if self.packet.key == key::UNIT_ATTENTION {
            self.packet.key = key::NONE;
        }
        Answer::Reply(18, command[4].into())
    }

    fn capacity(&mut self) -> Answer {
        let last = (self.blocks() as u32).wrapping_sub(1).to_be_bytes();
        self.put(&[last, (DATA as u32).to_be_bytes()].concat());
        Answer::Reply(8, 8)
    }

    fn read(&self, command: &[u8; 12], count: u32) -> Answer {
        self.blocks_of(be32(command, 2), count, DATA)
    }

    /// READ CD (MMC-2, 9.1.16): the data of its blocks, or whole sectors.
    fn read_cd(&self, command: &[u8; 12]) -> Answer {
        let count = u32::from(command[6]) << 16 | be16(command, 7);
        let parts = command[9] & 0xf8;
        let size = if parts == 0xf8 { RAW } else { DATA };
        match self.blocks_of(be32(command, 2), count, size) {
            blocks @ Answer::Blocks(..) => match parts {
                0 => Answer::Done,
                _ if !self.has_byte_count() => Answer::Aborted,
                0x10 | 0xf8 => blocks,
                _ => INVALID,
            },
            other => other,
        }
    }

    /// QEMU adds in 32 bits.
    fn blocks_of(&self, first: u32, count: u32, size: i32) -> Answer {
        if count == 0 {
            return Answer::Done;
        }
        let last = first.wrapping_add(count).wrapping_sub(1);
        if u64::from(first.max(last)) >= self.blocks() {
            return Answer::Failed(key::ILLEGAL_REQUEST, sense::OUT_OF_RANGE);
        }
        Answer::Blocks(first, count, size)
    }

    /// GET CONFIGURATION (MMC-2, 9.1.4): the list of profiles.
    fn configuration(&mut self, command: &[u8; 12]) -> Answer {
        if be16(command, 2) != 0 {
            return INVALID;
        }
        let most = be16(command, 7).min(512);
        let profile = match self.total() {
            _ if !self.is_ready() => 0,
            total if total > CD => DVD_ROM,
            _ => CD_ROM,
        };
        let [dvd, cd] = [DVD_ROM, CD_ROM].map(|known| (known == profile).into());
        let answer = [
            [0, 0, 0, 16, 0, 0, 0, profile],
            [0, 0, 3, 8, 0, DVD_ROM, dvd, 0],
            [0, CD_ROM, cd, 0, 0, 0, 0, 0],
        ];
        self.put(&answer.concat()[..20]);
        Answer::Reply(20, most)
    }

    /// GET EVENT STATUS NOTIFICATION (MMC-2, 9.1.5): media events, when asked.
    fn events(&mut self, command: &[u8; 12]) -> Answer {
        if command[1] & 1 == 0 {
            return INVALID;
        }
        let most = be16(command, 7);
        if command[4] & 0x10 == 0 {
            self.put(&[0, 0, 0x80, 0x10]);
            return Answer::Reply(4, most);
        }
        let packet = &mut self.packet;
        let status = match packet.tray_open {
            true => 1,
            false if self.medium.is_some() => 2,
            false => 0,
        };
        let event = if packet.tray_open {
            0
        } else if std::mem::take(&mut packet.new_media) {
            2
        } else {
            u8::from(std::mem::take(&mut packet.eject_request))
        };
        self.put(&[0, 4, 4, 0x10, event, status, 0, 0]);
        Answer::Reply(8, most)
    }

    /// MODE SENSE (10) (MMC-2, 5.5): pages of current values.
    fn mode_sense(&mut self, command: &[u8; 12]) -> Answer {
        let most = be16(command, 7);
        let page = command[2] & 0x3f;
        let locked = u8::from(self.packet.tray_locked) << 1;
        let body: &[u8] = match (command[2] >> 6, page) {
            (0, 0x01) => &[0, 5, 0, 0, 0, 0],
            (0, 0x0e) => {
                // QEMU leaves what the buffer has in all but the volumes.
                let mut body: [u8; 14] = [0; 14];
                body.copy_from_slice(&self.transfer.buffer[10..24]);
                [7, 9, 11, 13].into_iter().for_each(|volume| body[volume] = 0);
                return self.mode_page(page, &body, most);
            }
            // Reads all discs of CD and DVD, and plays; 4 times the speed of a CD, a
            // buffer of 512 KiB.
            (0, 0x2a) => &[
                0x3b,
                0,
                0x71,
                0x60,
                0x29 | locked,
                0,
                2,
                0xc0,
                0,
                2,
                2,
                0,
                2,
                0xc0,
                0,
                0,
                0,
                0,
                0,
                0,
            ],
            (3, _) => return Answer::Failed(key::ILLEGAL_REQUEST, sense::SAVING_NOT_SUPPORTED),
            _ => return INVALID,
        };
        self.mode_page(page, body, most)
    }

    fn mode_page(&mut self, page: u8, body: &[u8], most: u32) -> Answer {
        let length = body.len() as u8;
        let head = [0, length + 8, 0x70, 0, 0, 0, 0, 0, page, length];
        let answer = [&head, body].concat();
        self.put(&answer);
        Answer::Reply(answer.len() as u32, most)
    }
}
