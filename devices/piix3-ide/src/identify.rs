//! The answers to IDENTIFY DEVICE and IDENTIFY PACKET DEVICE (ATA-4, 8.12 and
//! 8.13; ATA/ATAPI-6 for 48-bit addresses).

use crate::address::Geometry;
use crate::drive::{Drive, MOST_MULTIPLE};

/// Word 85: features that are enabled.
pub(crate) const ENABLED: usize = 85;
/// NOP and SMART.
pub(crate) const NOP_AND_SMART: u16 = 1 << 14 | 1;
/// The write cache.
pub(crate) const WRITE_CACHE: u16 = 1 << 5;

/// The words of an answer.
struct Words<'a>(&'a mut [u8; 512]);

impl Words<'_> {
    fn set(&mut self, word: usize, value: u16) {
        self.0[2 * word..2 * word + 2].copy_from_slice(&value.to_le_bytes());
    }

    fn set_all(&mut self, values: &[(usize, u16)]) {
        values.iter().for_each(|&(word, value)| self.set(word, value));
    }

    /// Text, padded with blanks, two characters in a word with the first one above.
    fn text(&mut self, word: usize, words: usize, text: &str) {
        let mut bytes = text.bytes().chain(std::iter::repeat(b' '));
        for at in word..word + words {
            let pair = [bytes.next().unwrap_or(b' '), bytes.next().unwrap_or(b' ')];
            self.set(at, u16::from_be_bytes(pair));
        }
    }
}

impl Drive {
    /// Changes a word of the answer to IDENTIFY DEVICE.
    pub(crate) fn set_word(&mut self, word: usize, value: u16) {
        Words(&mut self.identify).set(word, value);
    }

    /// Whether the answer says that the write cache is on.
    pub(crate) fn shows_write_cache(&self) -> bool {
        u16::from(self.identify[2 * ENABLED]) & WRITE_CACHE != 0
    }

    /// Makes the answer, unless it has been made, and puts it into the buffer.
    pub(crate) fn identify(&mut self) {
        if self.identify_set == 0 {
            self.identify = [0; 512];
            if self.is_cd() {
                self.identify_cd()
            } else {
                self.identify_disk()
            }
            self.identify_set = 1;
        }
        self.transfer.buffer[..512].copy_from_slice(&self.identify);
    }

    /// Words 60 and 61, and 100 to 103: the sectors that can be addressed.
    pub(crate) fn identify_size(&mut self) {
        let total = self.total();
        let short = total.min(1 << 28).to_le_bytes();
        self.identify[120..124].copy_from_slice(&short[..4]);
        self.identify[200..208].copy_from_slice(&total.to_le_bytes());
    }

    fn identify_names(&mut self) {
        let mut words = Words(&mut self.identify);
        words.text(10, 10, &self.setup.serial);
        words.text(23, 4, &self.setup.version);
        words.text(27, 20, &self.setup.model);
    }

    fn identify_disk(&mut self) {
        self.identify_names();
        // Heads and sectors as INITIALIZE DEVICE PARAMETERS has set them.
        let Geometry { cylinders, .. } = self.geometry;
        let geometry = Geometry { cylinders, ..self.current };
        let [cylinders, heads, sectors] =
            [geometry.cylinders, geometry.heads, geometry.sectors].map(|value| value as u16);
        let old_size =
            geometry.cylinders.wrapping_mul(geometry.heads).wrapping_mul(geometry.sectors);
        let multiple = self.multiple as u16;
        let cache = if self.write_cache { WRITE_CACHE } else { 0 };
        let mut words = Words(&mut self.identify);
        words.set_all(&[(0, 0x0040), (1, cylinders), (3, heads), (6, sectors)]);
        // Bytes of a track and of a sector, buffer, bytes for error correction.
        words.set_all(&[(4, sectors.wrapping_mul(512)), (5, 512), (20, 3), (21, 512), (22, 4)]);
        words.set_all(&[(47, 0x8000 | u16::from(MOST_MULTIPLE)), (48, 1)]);
        // LBA, DMA, IORDY; timing; words 54 to 58, 64 to 70 and 88 mean something.
        words.set_all(&[(49, 0x0b00), (51, 0x0200), (52, 0x0200), (53, 7)]);
        words.set_all(&[(54, cylinders), (55, heads), (56, sectors)]);
        words.set_all(&[(57, old_size as u16), (58, (old_size >> 16) as u16)]);
        if multiple != 0 {
            words.set(59, 0x0100 | multiple);
        }
        words.set_all(&[(62, 0x07), (63, 0x07), (64, 0x03)]);
        (65..69).for_each(|word| words.set(word, 120));
        // Trimmed sectors read as they will; ATA-4 to 7, as ATA-5.
        words.set_all(&[(69, 0x4000), (80, 0x00f0), (81, 0x0016)]);
        // FLUSH CACHE, FLUSH CACHE EXT, 48-bit addresses.
        words.set_all(&[(82, NOP_AND_SMART | WRITE_CACHE), (83, 0x7400), (84, 0x4000)]);
        words.set_all(&[(ENABLED, NOP_AND_SMART | cache), (86, 0x3400), (87, 0x4000)]);
        words.set_all(&[(88, 0x203f), (93, 0x6001), (106, 0x6000), (169, 1)]);
        words.set(217, self.setup.rotation_rate);
        self.identify_size();
    }

    fn identify_cd(&mut self) {
        self.identify_names();
        let mut words = Words(&mut self.identify);
        // A removable CD-ROM drive that takes packets of 12 bytes.
        words.set_all(&[(0, 0x85c0), (20, 3), (21, 512), (22, 4)]);
        words.set_all(&[(48, 1), (49, 0x0300), (53, 7), (62, 7), (63, 7), (64, 3)]);
        words.set_all(&[(65, 180), (66, 180), (67, 300), (68, 180), (71, 30), (72, 30)]);
        words.set_all(&[(80, 0x001e), (88, 0x203f)]);
    }
}
