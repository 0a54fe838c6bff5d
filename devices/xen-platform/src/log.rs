//! The guest's log: what its drivers write, byte by byte.

use southbridge_sdk::Context;

/// The longest line; QEMU ends a line that is longer.
const LINE: usize = 4095;

/// The line that is being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    pub(crate) line: [u8; LINE],
    pub(crate) length: u32,
}

impl Log {
    /// An empty line.
    pub(crate) const fn new() -> Self {
        Self { line: [0; LINE], length: 0 }
    }

    /// Takes a byte. A line feed sends the line; so does a byte for which there
    /// is no room, and as in QEMU it is lost.
    pub(crate) fn write(&mut self, cx: &mut Context<'_>, stream: u32, byte: u8) {
        match self.line.get_mut(self.length as usize) {
            Some(place) if byte != b'\n' => {
                *place = byte;
                self.length += 1;
            }
            _ => {
                for &sent in self.line.iter().take(self.length as usize).chain(b"\n") {
                    cx.put(stream, sent);
                }
                self.length = 0;
            }
        }
    }
}
