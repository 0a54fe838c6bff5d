//! The files `xl save` writes.
//!
//! A guest's device state is one record in them: behind a header of xl's own and
//! the guest's configuration comes libxl's stream, in which libxc's stream with the
//! guest's memory is embedded, and then the record of the device model. Sources:
//! Xen's `docs/specs/libxl-migration-stream.pandoc` and
//! `libxc-migration-stream.pandoc`, and for the outermost header `tools/xl/xl.h`.

use std::ops::Range;

use crate::error::{Error, Problem};

/// What such a file begins with.
pub const MAGIC: &[u8; 32] = b"Xen saved domain, xl format\n \0 \r";

/// How xl's header is told from one of the other byte order.
const BYTE_ORDER: u32 = 0x0102_0304;
/// The flag of files that hold libxl's stream; all since Xen 4.6 do.
const STREAM_V2: u32 = 1 << 1;
const LIBXL_IDENT: &[u8; 8] = b"LibxlFmt";
/// Marker and id of libxc's stream.
const LIBXC_IDENT: &[u8; 12] = b"\xff\xff\xff\xff\xff\xff\xff\xffXENF";
/// QEMU, not the fork that came before it.
const QEMU_UPSTREAM: u32 = 2;
/// The most device state that is kept, as in a bare stream.
const STATE_MAX: u32 = 8 << 20;

/// Records of libxl's stream.
mod record {
    pub(super) const END: u32 = 0;
    pub(super) const LIBXC_CONTEXT: u32 = 1;
    pub(super) const EMULATOR_XENSTORE_DATA: u32 = 2;
    pub(super) const EMULATOR_CONTEXT: u32 = 3;
    /// Records from here on may be passed over by who does not know them.
    pub(super) const OPTIONAL: u32 = 0x8000_0000;
}

/// The record that holds QEMU's device state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emulator {
    /// Where the record lies in the file, with its header and padding.
    pub range: Range<u64>,
    /// Which of the domain's device models it is; there is one, 0.
    pub index: u32,
    /// QEMU's stream.
    pub state: Vec<u8>,
}

impl Emulator {
    /// Where the state begins in the file.
    #[must_use]
    pub fn state_offset(&self) -> u64 {
        self.range.start + 16
    }

    /// The record with another state, to stand in the place of this one.
    ///
    /// # Errors
    /// [`Problem::TooLarge`] if the state is longer than a record can be here.
    pub fn write(&self, state: &[u8]) -> Result<Vec<u8>, Error> {
        let too_large = Problem::TooLarge(STATE_MAX as usize).at(self.range.start);
        let length = u32::try_from(state.len()).ok().filter(|length| *length <= STATE_MAX);
        let length = length.ok_or(too_large)? + 8;
        let mut bytes = Vec::new();
        for word in [record::EMULATOR_CONTEXT, length, QEMU_UPSTREAM, self.index] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes.extend_from_slice(state);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        Ok(bytes)
    }
}

/// Finds the device state in a file that is handed over piece by piece.
#[derive(Debug)]
pub struct Scanner {
    next: Next,
    /// Where the next byte to be looked at lies in the file.
    offset: u64,
    skip: u64,
    /// Bytes behind the last record.
    trailing: u64,
    /// The beginning of what comes next.
    item: Vec<u8>,
    found: Option<Emulator>,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Next {
    Xl,
    Libxl,
    Record,
    LibxcImage,
    LibxcDomain,
    LibxcRecord,
    /// The ids before a device model's state, of a record of so many bytes.
    Emulator(u32),
    /// The state itself and its padding.
    State(u32),
    Done,
}

impl Next {
    /// How many bytes it takes.
    fn size(self) -> usize {
        match self {
            Self::Xl => 48,
            Self::Libxl | Self::LibxcDomain => 16,
            Self::LibxcImage => 24,
            Self::Record | Self::LibxcRecord | Self::Emulator(_) => 8,
            Self::State(length) => (length as usize).next_multiple_of(8),
            Self::Done => 0,
        }
    }
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

impl Scanner {
    /// Before the first byte.
    #[must_use]
    pub const fn new() -> Self {
        Self { next: Next::Xl, offset: 0, skip: 0, trailing: 0, item: Vec::new(), found: None }
    }

    /// Takes the next piece, of any length.
    ///
    /// # Errors
    /// [`Error`] as soon as the file is seen to be wrong; there is no going on then.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), Error> {
        let mut rest = piece;
        while !rest.is_empty() {
            if self.next == Next::Done {
                self.trailing += rest.len() as u64;
                break;
            }
            let wanted = match self.skip {
                0 => self.next.size() - self.item.len(),
                skip => usize::try_from(skip).unwrap_or(usize::MAX),
            };
            let (head, tail) = rest.split_at(wanted.min(rest.len()));
            rest = tail;
            if self.skip > 0 {
                self.skip -= head.len() as u64;
                self.offset += head.len() as u64;
                continue;
            }
            self.item.extend_from_slice(head);
            if self.item.len() == self.next.size() {
                let item = std::mem::take(&mut self.item);
                self.next = self.take(&item)?;
                self.offset += item.len() as u64;
            }
        }
        Ok(())
    }

    /// After the last byte: the device state.
    ///
    /// # Errors
    /// [`Error`] if the file ends too early or too late, or holds no device state.
    pub fn finish(self) -> Result<Emulator, Error> {
        let end = self.offset + self.item.len() as u64;
        match (self.next, self.found) {
            (Next::Xl, _) if end == 0 => Err(Problem::Empty.at(0)),
            (Next::Done, _) if self.trailing > 0 => Err(Problem::Trailing(self.trailing).at(end)),
            (Next::Done, Some(found)) => Ok(found),
            (Next::Done, None) => Err(wrong("it holds no state of QEMU", end)),
            _ => Err(Problem::Truncated("the save file".to_owned()).at(end)),
        }
    }

    fn take(&mut self, item: &[u8]) -> Result<Next, Error> {
        let at = self.offset;
        let require = |holds: bool, reason| if holds { Ok(()) } else { Err(wrong(reason, at)) };
        Ok(match self.next {
            Next::Xl => {
                require(item.starts_with(MAGIC), "it does not start as one does")?;
                require(word(item, 32) == BYTE_ORDER, "its byte order is another one")?;
                let v2 = word(item, 36) & STREAM_V2 != 0;
                require(v2, "it has the format of Xen 4.5 and before")?;
                self.skip = u64::from(word(item, 44));
                Next::Libxl
            }
            Next::Libxl => {
                require(item.starts_with(LIBXL_IDENT), "libxl's stream does not follow")?;
                let version = item[8..12] == [0, 0, 0, 2];
                require(version, "libxl's stream has another version than 2")?;
                require(item[15] & 1 == 0, "libxl's stream is big-endian")?;
                Next::Record
            }
            Next::Record => {
                let length = word(item, 4);
                match word(item, 0) {
                    record::END => {
                        require(length == 0, "the last record is not empty")?;
                        Next::Done
                    }
                    record::LIBXC_CONTEXT => {
                        require(length == 0, "the record of libxc's stream is not empty")?;
                        Next::LibxcImage
                    }
                    record::EMULATOR_CONTEXT => {
                        require(length > 8, "a device model's record is empty")?;
                        if length - 8 > STATE_MAX {
                            return Err(Problem::TooLarge(STATE_MAX as usize).at(at));
                        }
                        Next::Emulator(length - 8)
                    }
                    kind => {
                        let known =
                            kind == record::EMULATOR_XENSTORE_DATA || kind >= record::OPTIONAL;
                        require(known, "a record of a kind that save files do not have")?;
                        self.skip = padded(length);
                        Next::Record
                    }
                }
            }
            Next::LibxcImage => {
                require(item.starts_with(LIBXC_IDENT), "libxc's stream does not follow")?;
                let version = matches!(item[12..16], [0, 0, 0, 2 | 3]);
                require(version, "libxc's stream has another version than 2 and 3")?;
                require(item[17] & 1 == 0, "libxc's stream is big-endian")?;
                Next::LibxcDomain
            }
            Next::LibxcDomain => Next::LibxcRecord,
            Next::LibxcRecord => {
                self.skip = padded(word(item, 4));
                if word(item, 0) == record::END { Next::Record } else { Next::LibxcRecord }
            }
            Next::Emulator(length) => {
                require(word(item, 0) == QEMU_UPSTREAM, "its device model is not QEMU")?;
                require(self.found.is_none(), "it holds two states of device models")?;
                self.found = Some(Emulator {
                    range: at - 8..at + 8 + padded(length),
                    index: word(item, 4),
                    state: Vec::new(),
                });
                Next::State(length)
            }
            Next::State(length) => {
                let (state, padding) = item.split_at(length as usize);
                require(padding.iter().all(|byte| *byte == 0), "padding that is not zero")?;
                if let Some(found) = &mut self.found {
                    found.state = state.to_vec();
                }
                Next::Record
            }
            Next::Done => Next::Done,
        })
    }
}

fn wrong(reason: &'static str, at: u64) -> Error {
    Problem::Xl(reason).at(at)
}

/// Records are padded to eight bytes.
fn padded(length: u32) -> u64 {
    u64::from(length).next_multiple_of(8)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |word| u32::from_le_bytes(*word))
}
