//! What a device can ask of a drive.

/// What offsets and lengths are multiples of, in bytes.
pub const SECTOR: u64 = 512;

/// The most that one [`Request::Read`] may ask for, in bytes.
pub const READ_LIMIT: u32 = 1 << 20;

/// A piece of the guest's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Guest physical address.
    pub address: u64,
    /// Bytes.
    pub length: u32,
}

/// A request, as in the contract's `storage`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Reads bytes, which the completion brings.
    Read {
        /// Where on the medium, in bytes.
        offset: u64,
        /// How many bytes, at most [`READ_LIMIT`].
        length: u32,
    },
    /// Writes bytes.
    Write {
        /// Where on the medium, in bytes.
        offset: u64,
        /// The bytes.
        data: Vec<u8>,
    },
    /// Reads into the guest's memory.
    ToMemory {
        /// Where on the medium, in bytes.
        offset: u64,
        /// Where to, one after the other.
        pieces: Vec<Piece>,
    },
    /// Writes what is in the guest's memory when the request is carried out.
    FromMemory {
        /// Where on the medium, in bytes.
        offset: u64,
        /// Where from, one after the other.
        pieces: Vec<Piece>,
    },
    /// Ends when all that was written before is on the medium for good.
    Flush,
}

/// What a request does to the medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// It reads.
    Read,
    /// It writes.
    Write,
    /// It makes what was written last.
    Flush,
}

/// Why a request failed, as far as the device learns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The medium could not be read or written.
    Io,
    /// There is no room for what was written.
    NoSpace,
}

impl Request {
    /// What the request does to the medium.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Read { .. } | Self::ToMemory { .. } => Operation::Read,
            Self::Write { .. } | Self::FromMemory { .. } => Operation::Write,
            Self::Flush => Operation::Flush,
        }
    }

    /// Where on the medium the request goes, and how many bytes it moves.
    pub(crate) fn extent(&self) -> (u64, u64) {
        match self {
            Self::Read { offset, length } => (*offset, (*length).into()),
            Self::Write { offset, data } => (*offset, data.len() as u64),
            Self::ToMemory { offset, pieces } | Self::FromMemory { offset, pieces } => {
                let lengths = pieces.iter().map(|piece| u64::from(piece.length));
                (*offset, lengths.fold(0, u64::saturating_add))
            }
            Self::Flush => (0, 0),
        }
    }

    /// Whether the contract allows the request for a medium of `size` bytes.
    pub(crate) fn fits(&self, size: u64) -> bool {
        if let Self::Read { length, .. } = self
            && *length > READ_LIMIT
        {
            return false;
        }
        let (offset, length) = self.extent();
        let end = offset.checked_add(length);
        offset % SECTOR == 0 && length % SECTOR == 0 && end.is_some_and(|end| end <= size)
    }

    /// How much memory the request itself takes, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            Self::Write { data, .. } => data.len(),
            Self::ToMemory { pieces, .. } | Self::FromMemory { pieces, .. } => {
                pieces.len().saturating_mul(size_of::<Piece>())
            }
            Self::Read { .. } | Self::Flush => 0,
        }
    }
}

impl Operation {
    /// As QMP's events call it, in which a flush is a write.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write | Self::Flush => "write",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(offset: u64, length: u32) -> Request {
        Request::Read { offset, length }
    }

    #[test]
    fn requests_must_be_whole_sectors_of_the_medium() {
        assert!(read(0, 1024).fits(1024));
        assert!(read(1024, 0).fits(1024));
        assert!(!read(512, 1024).fits(1024));
        assert!(!read(1, 512).fits(1024));
        assert!(!read(0, 511).fits(1024));
        assert!(!read(u64::MAX - 511, 512).fits(u64::MAX));
        assert!(read(0, READ_LIMIT).fits(u64::MAX));
        assert!(!read(0, READ_LIMIT + 512).fits(u64::MAX));
    }

    #[test]
    fn pieces_count_together() {
        let piece = |length| Piece { address: 0, length };
        let request = |pieces| Request::ToMemory { offset: 512, pieces };
        assert!(request(vec![piece(2), piece(0), piece(510)]).fits(1024));
        assert!(!request(vec![piece(2), piece(511)]).fits(4096));
        assert!(!request(vec![piece(u32::MAX), piece(1)]).fits(1024));
        assert_eq!(request(vec![piece(2); 3]).weight(), 48);
    }
}
