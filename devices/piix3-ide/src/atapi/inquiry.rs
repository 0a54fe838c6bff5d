//! INQUIRY (SPC-2, 7.3).

use super::{Answer, INVALID, key, sense};
use crate::drive::Drive;

/// A CD-ROM drive.
const TYPE: u8 = 5;

impl Drive {
    pub(super) fn inquiry(&mut self, command: &[u8; 12]) -> Answer {
        let most = command[4];
        if command[1] & 1 != 0 {
            return self.inquiry_page(command[2], most);
        }
        let mut answer = vec![TYPE, 0x80, 0, 0x21, 31, 0, 0, 0];
        text(&mut answer, 8, "QEMU");
        text(&mut answer, 16, "QEMU DVD-ROM");
        text(&mut answer, 4, &self.setup.version);
        self.put(&answer);
        Answer::Reply(36, most.into())
    }

    /// Pages of vital product data (SPC-2, 8.4).
    fn inquiry_page(&mut self, page: u8, most: u8) -> Answer {
        let mut answer = vec![TYPE, page, 0, 0];
        match page {
            0 => answer.extend([0, 0x83]),
            0x83 => {
                if most < 28 {
                    return Answer::Failed(key::ILLEGAL_REQUEST, sense::DATA_PHASE_ERROR);
                }
                answer.extend([2, 0, 0, 20]);
                text(&mut answer, 20, &self.setup.serial);
                if most >= 100 {
                    answer.extend([2, 1, 0, 68]);
                    text(&mut answer, 8, "ATA");
                    text(&mut answer, 40, &self.setup.model);
                    text(&mut answer, 20, &self.setup.serial);
                }
            }
            _ => return INVALID,
        }
        answer[3] = (answer.len() - 4) as u8;
        self.put(&answer);
        Answer::Reply(answer.len() as u32, most.into())
    }

    /// Puts an answer into the buffer.
    pub(super) fn put(&mut self, answer: &[u8]) {
        self.transfer.buffer[..answer.len()].copy_from_slice(answer);
    }
}

/// Text, padded with blanks.
fn text(answer: &mut Vec<u8>, length: usize, text: &str) {
    let padded = text.bytes().chain(std::iter::repeat(b' '));
    answer.extend(padded.take(length));
}
