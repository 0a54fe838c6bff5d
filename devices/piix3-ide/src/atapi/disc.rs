//! What the packet commands tell of the disc: one session with one data track.

use super::answers::be16;
use super::transfer::minutes;
use super::{Answer, CD, INVALID, key, sense};
use crate::drive::Drive;
use crate::transfer::BUFFER;

/// The lead-out's number.
const LEAD_OUT: u8 = 0xaa;

impl Drive {
    /// READ TOC/PMA/ATIP (MMC-2, 9.1.22).
    pub(super) fn table_of_contents(&mut self, command: &[u8; 12]) -> Answer {
        let in_minutes = command[1] & 2 != 0;
        let track = command[6];
        let end = self.blocks() as u32;
        let address = |block: u32| match minutes(block) {
            [m, s, f] if in_minutes => [0, m, s, f],
            _ => block.to_be_bytes(),
        };
        let mut answer = vec![0, 0, 1, 1];
        match command[9] >> 6 {
            0 => {
                if track > 1 && track != LEAD_OUT {
                    return INVALID;
                }
                if track <= 1 {
                    answer.extend([0, 0x14, 1, 0]);
                    answer.extend(address(0));
                }
                answer.extend([0, 0x16, LEAD_OUT, 0]);
                answer.extend(address(end));
            }
            1 => answer.extend([0; 8]),
            2 => {
                // First track, last track, lead-out, the track.
                answer.extend([1, 0x14, 0, 0xa0, 0, 0, 0, 0, 1, 0, 0]);
                answer.extend([1, 0x14, 0, 0xa1, 0, 0, 0, 0, 1, 0, 0]);
                answer.extend([1, 0x14, 0, 0xa2, 0, 0, 0]);
                answer.extend(address(end));
                answer.extend([1, 0x14, 0, 1, 0, 0, 0]);
                answer.extend(if in_minutes { address(0) } else { [0; 4] });
            }
            _ => return INVALID,
        }
        let length = answer.len() as u16 - 2;
        answer[..2].copy_from_slice(&length.to_be_bytes());
        self.put(&answer);
        Answer::Reply(answer.len() as u32, be16(command, 7))
    }

    /// READ DISC INFORMATION (MMC-2, 9.1.19): complete and final.
    pub(super) fn disc_information(&mut self, command: &[u8; 12]) -> Answer {
        if command[1] & 7 != 0 {
            return INVALID;
        }
        let mut answer = [0; 34];
        answer[..8].copy_from_slice(&[0, 32, 0x0e, 1, 1, 1, 1, 0x20]);
        self.put(&answer);
        Answer::Reply(34, be16(command, 7))
    }

    /// READ DVD STRUCTURE (MMC-2, 9.1.20).
    pub(super) fn dvd_structure(&mut self, command: &[u8; 12]) -> Answer {
        let (media, layer, format) = (command[1], command[6], command[7]);
        let most = be16(command, 8);
        if format < 0xff && self.total() <= CD {
            return if self.is_ready() {
                Answer::Failed(key::ILLEGAL_REQUEST, sense::INCOMPATIBLE_FORMAT)
            } else {
                INVALID
            };
        }
        let buffer = &mut self.transfer.buffer;
        buffer[..BUFFER.min(most as usize)].fill(0);
        // The packet is in the buffer, too.
        let layer = if most > 6 { 0 } else { layer };
        if media != 0 {
            return INVALID;
        }
        let size = match format {
            0 if layer == 0 => {
                let last = (self.blocks() as u32).wrapping_sub(1).to_be_bytes();
                let of_disc = [0x08, 0x02, 0, 0, 1, 0x0f, 1, 0, 0, 0, 0, 0];
                self.put(&[&of_disc[..], &last, &last].concat());
                2052
            }
            // No copyright, no regions.
            1 => {
                self.put(&[0, 6, 0, 0, 0, 0]);
                8
            }
            // Manufacturing information, of which there is none.
            4 => {
                self.put(&[0x08, 0x02]);
                2052
            }
            0xff => {
                self.put(&[
                    0, 18, 0, 0, 0, 0x40, 0x08, 0x04, 1, 0x40, 0, 8, 3, 0x40, 0, 0xc0, 4, 0x40,
                    0x08, 0x04,
                ]);
                20
            }
            _ => return INVALID,
        };
        Answer::Reply(size, most)
    }
}
