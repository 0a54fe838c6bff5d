//! The memory.

/// Bytes.
pub(crate) const SIZE: usize = 256;

/// The memory and its offset register.
#[derive(Clone, Debug)]
pub(crate) struct Eeprom {
    pub(crate) data: [u8; SIZE],
    pub(crate) offset: u8,
    /// A byte has been read or written, ever.
    pub(crate) accessed: bool,
}

impl Default for Eeprom {
    fn default() -> Self {
        Self { data: [0; SIZE], offset: 0, accessed: false }
    }
}

impl Eeprom {
    /// Blanks the memory.
    pub(crate) fn reset(&mut self) {
        (self.data, self.offset) = ([0; SIZE], 0);
    }

    /// A transfer: the offset, then data.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let [offset, data @ ..] = bytes else { return };
        self.accessed = true;
        self.offset = *offset;
        for &byte in data {
            self.data[usize::from(self.offset)] = byte;
            self.offset = self.offset.wrapping_add(1);
        }
    }

    /// The byte at the offset, which moves on.
    pub(crate) fn read(&mut self) -> u8 {
        self.accessed = true;
        let byte = self.data[usize::from(self.offset)];
        self.offset = self.offset.wrapping_add(1);
        byte
    }
}
