//! The buffer that the data register moves, and what comes after it.

/// Bytes of QEMU's buffer.
pub(crate) const BUFFER: usize = 256 * 512 + 4;

/// What follows when the guest has moved what is to be moved, with the numbers
/// by which QEMU saves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The next sectors are read.
    Read = 0,
    /// The sectors in the buffer are written.
    Write = 1,
    /// Nothing: the command is at its end.
    Stop = 2,
    /// The next part of an answer to a packet.
    Reply = 3,
    /// The packet in the buffer is carried out.
    Packet = 4,
    /// Nothing: there is no command.
    Float = 5,
}

impl Then {
    pub(crate) const ALL: [Self; 6] =
        [Self::Read, Self::Write, Self::Stop, Self::Reply, Self::Packet, Self::Float];

    /// Whether the guest reads.
    pub(crate) fn to_guest(self) -> bool {
        !matches!(self, Self::Write | Self::Packet)
    }
}

/// The buffer.
#[derive(Clone, Debug)]
pub(crate) struct Transfer {
    pub(crate) buffer: Vec<u8>,
    /// What is to be moved; within the buffer.
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) then: Then,
}

impl Default for Transfer {
    fn default() -> Self {
        Self { buffer: vec![0; BUFFER], start: 0, end: 0, then: Then::Float }
    }
}

impl Transfer {
    /// `size` bytes from `start` on are to be moved, as far as the buffer reaches.
    pub(crate) fn begin(&mut self, start: usize, size: usize, then: Then) {
        self.start = start.min(BUFFER);
        self.end = self.start.saturating_add(size).min(BUFFER);
        self.then = then;
    }

    /// Nothing is to be moved.
    pub(crate) fn stop(&mut self) {
        self.begin(0, 0, Then::Stop);
    }

    /// There is no command; the data register floats.
    pub(crate) fn float(&mut self) {
        self.begin(0, 0, Then::Float);
        self.buffer[..4].fill(0xff);
    }

    /// Takes `size` bytes to the guest; none if there are not that many.
    pub(crate) fn take(&mut self, size: u8) -> Option<u64> {
        let next = self.start + usize::from(size);
        let bytes = self.buffer[..self.end].get(self.start..next)?;
        self.start = next;
        Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// Puts `size` bytes from the guest; returns whether there is room.
    pub(crate) fn put(&mut self, size: u8, value: u64) -> bool {
        let next = self.start + usize::from(size);
        let Some(bytes) = self.buffer[..self.end].get_mut(self.start..next) else { return false };
        bytes.iter_mut().zip(value.to_le_bytes()).for_each(|(byte, new)| *byte = new);
        self.start = next;
        true
    }

    pub(crate) fn is_over(&self) -> bool {
        self.start >= self.end
    }
}
