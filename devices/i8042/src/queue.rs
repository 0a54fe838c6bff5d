//! The bytes a keyboard or a mouse has for the guest.

/// The number of bytes that fit in, replies to commands not counted.
const SIZE: u16 = 16;

/// The most bytes that replies to a command take in front of the others.
const HEADROOM: u8 = 8;

/// A queue of bytes. Its ring has 256 places, all of them in the saved state,
/// so that positions wrap as bytes do.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    /// The ring.
    pub(crate) data: [u8; 256],
    /// Where the next byte is.
    pub(crate) read: u8,
    /// How many bytes wait.
    pub(crate) count: u16,
    /// Where the reply to a command ends that waits in front of the others.
    pub(crate) reply_end: Option<u8>,
}

impl Default for Queue {
    fn default() -> Self {
        Self { data: [0; 256], read: 0, count: 0, reply_end: None }
    }
}

impl Queue {
    /// Forgets what waits. The bytes stay in the ring.
    pub(crate) fn clear(&mut self) {
        (self.read, self.count, self.reply_end) = (0, 0, None);
    }

    /// Where the next byte goes.
    pub(crate) const fn write(&self) -> u8 {
        self.read.wrapping_add(self.count as u8)
    }

    /// Adds bytes at the end, all or none. Returns whether there was room.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> bool {
        let has_room = usize::from(self.count) + bytes.len() <= usize::from(SIZE);
        if has_room {
            for &byte in bytes {
                self.data[usize::from(self.write())] = byte;
                self.count += 1;
            }
        }
        has_room
    }

    /// Puts the reply to a command in front, in place of an older reply that
    /// has not been read; `bytes` is at most [`HEADROOM`] long.
    pub(crate) fn reply(&mut self, bytes: &[u8]) {
        self.drop_reply();
        let end = self.read;
        self.read = end.wrapping_sub(bytes.len() as u8);
        let mut at = self.read;
        for &byte in bytes {
            self.data[usize::from(at)] = byte;
            at = at.wrapping_add(1);
        }
        self.count += bytes.len() as u16;
        self.reply_end = Some(end);
    }

    /// Forgets the reply to a command.
    fn drop_reply(&mut self) {
        if let Some(end) = self.reply_end.take() {
            self.count -= u16::from(end.wrapping_sub(self.read)).min(self.count);
            self.read = end;
        }
    }

    /// The next byte, or none.
    pub(crate) fn pop(&mut self) -> Option<u8> {
        self.count = self.count.checked_sub(1)?;
        let byte = self.data[usize::from(self.read)];
        self.read = self.read.wrapping_add(1);
        if self.reply_end == Some(self.read) {
            self.reply_end = None;
        }
        Some(byte)
    }

    /// The byte that was read last, which reads again when the queue is empty.
    pub(crate) const fn last(&self) -> u8 {
        self.data[self.read.wrapping_sub(1) as usize]
    }

    /// Takes over loaded positions as QEMU does, which puts those right that
    /// cannot be: old versions had longer queues.
    pub(crate) fn restore(&mut self, (read, count): (i32, i32), reply_end: Option<i32>) {
        self.read = read as u8;
        let reply = reply_end.map_or(0, |end| (end as u8).wrapping_sub(self.read).min(HEADROOM));
        let least = i32::from(reply);
        self.count = count.clamp(least, least + i32::from(SIZE)) as u16;
        self.reply_end = (reply > 0).then(|| self.read.wrapping_add(reply));
    }
}
