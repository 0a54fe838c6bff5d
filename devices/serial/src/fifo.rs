//! The 16 bytes deep FIFOs.

/// Bytes a FIFO holds.
pub(crate) const CAPACITY: u32 = 16;

/// A ring of bytes, laid out as QEMU's `Fifo8`. Bytes that have been taken stay
/// where they were: they are part of the saved state. (Where QEMU has not put a
/// byte yet it saves whatever was in its memory; here there are zeros.)
#[derive(Clone, Debug, Default)]
pub(crate) struct Fifo {
    pub(crate) data: [u8; CAPACITY as usize],
    /// Position of the oldest byte, below [`CAPACITY`].
    pub(crate) head: u32,
    /// Bytes held, at most [`CAPACITY`].
    pub(crate) count: u32,
}

impl Fifo {
    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.count >= CAPACITY
    }

    pub(crate) fn clear(&mut self) {
        (self.head, self.count) = (0, 0);
    }

    /// Adds a byte; returns whether there was room.
    pub(crate) fn push(&mut self, byte: u8) -> bool {
        let room = !self.is_full();
        if room {
            self.data[((self.head + self.count) % CAPACITY) as usize] = byte;
            self.count += 1;
        }
        room
    }

    /// Takes the oldest byte.
    pub(crate) fn pop(&mut self) -> Option<u8> {
        if self.is_empty() {
            return None;
        }
        let byte = self.data[(self.head % CAPACITY) as usize];
        self.head = (self.head + 1) % CAPACITY;
        self.count -= 1;
        Some(byte)
    }
}
