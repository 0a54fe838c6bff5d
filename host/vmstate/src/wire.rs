//! The primitive encodings: big-endian integers back to back, without tags,
//! lengths or padding.

use alloc::vec::Vec;
use core::fmt;

/// The byte that introduces a subsection inside a structure's payload
/// (QEMU's `QEMU_VM_SUBSECTION`).
pub const SUBSECTION: u8 = 0x05;

/// The data ended before the value did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncated {
    /// Where the value begins, in bytes from the start of the data.
    pub offset: usize,
    /// How many bytes the value needs.
    pub needed: usize,
    /// How many bytes are left.
    pub left: usize,
}

impl fmt::Display for Truncated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, needed, left } = self;
        write!(f, "truncated at offset {offset}: {needed} bytes expected, {left} left")
    }
}

impl core::error::Error for Truncated {}

/// Appends values to a growing buffer.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    data: Vec<u8>,
}

impl Writer {
    /// An empty buffer.
    #[must_use]
    pub const fn new() -> Self {
        Self { data: Vec::new() }
    }

    /// Appends bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.data.extend_from_slice(bytes);
    }

    /// Appends the low `size` bytes of `value`, most significant first.
    /// `size` is at most 8.
    pub fn integer(&mut self, value: u64, size: usize) {
        let bytes = value.to_be_bytes();
        self.bytes(&bytes[bytes.len().saturating_sub(size)..]);
    }

    /// Appends the head of a subsection: marker, name with its length in one
    /// byte, version. A name is cut at 255 bytes, the most the length can say.
    pub fn subsection(&mut self, name: &str, version: u32) {
        let name = &name.as_bytes()[..name.len().min(usize::from(u8::MAX))];
        self.integer(u64::from(SUBSECTION), 1);
        self.integer(name.len() as u64, 1);
        self.bytes(name);
        self.integer(u64::from(version), 4);
    }

    /// What has been written.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.data
    }
}

/// Takes values from the front of a slice.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    data: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// Reads from the start of `data`.
    #[must_use]
    pub const fn new(data: &'a [u8]) -> Self {
        Self { data, offset: 0 }
    }

    /// Bytes read so far.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// Bytes not read yet.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.data.len() - self.offset
    }

    /// Takes `count` bytes as they are.
    ///
    /// # Errors
    /// [`Truncated`] if fewer are left; nothing is consumed then.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], Truncated> {
        let (offset, left) = (self.offset, self.left());
        let bytes =
            self.data[offset..].get(..count).ok_or(Truncated { offset, needed: count, left })?;
        self.offset += count;
        Ok(bytes)
    }

    /// Takes an unsigned integer of `size` bytes, at most 8, most significant
    /// first.
    ///
    /// # Errors
    /// [`Truncated`] if fewer are left; nothing is consumed then.
    pub fn integer(&mut self, size: usize) -> Result<u64, Truncated> {
        let bytes = self.bytes(size)?;
        Ok(bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    /// Takes the head of a subsection if one whose name starts with `parent`
    /// comes next. A subsection with another name belongs to a structure
    /// further out and is left alone, as QEMU does.
    ///
    /// # Errors
    /// [`Truncated`] if the data ends inside the head.
    pub fn subsection(&mut self, parent: &str) -> Result<Option<(&'a [u8], u32)>, Truncated> {
        let mut ahead = self.clone();
        if ahead.left() == 0 || ahead.integer(1)? != u64::from(SUBSECTION) {
            return Ok(None);
        }
        let length = ahead.integer(1)? as usize;
        let name = ahead.bytes(length)?;
        if !name.starts_with(parent.as_bytes()) {
            return Ok(None);
        }
        let version = ahead.integer(4)? as u32;
        *self = ahead;
        Ok(Some((name, version)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_big_endian_and_packed() {
        let mut writer = Writer::new();
        writer.integer(0x12, 1);
        writer.integer(0x3456, 2);
        writer.integer(u64::MAX, 8);
        let data = writer.into_bytes();
        assert_eq!(data[..3], [0x12, 0x34, 0x56]);
        let mut reader = Reader::new(&data);
        assert_eq!(reader.integer(1), Ok(0x12));
        assert_eq!(reader.integer(2), Ok(0x3456));
        assert_eq!(reader.integer(8), Ok(u64::MAX));
        assert_eq!(reader.left(), 0);
    }

    #[test]
    fn a_short_read_consumes_nothing() {
        let mut reader = Reader::new(&[1, 2]);
        let error = Truncated { offset: 0, needed: 4, left: 2 };
        assert_eq!(reader.integer(4), Err(error));
        assert_eq!(reader.integer(2), Ok(0x0102));
    }

    #[test]
    fn a_subsection_of_an_outer_structure_is_left_alone() {
        let mut writer = Writer::new();
        writer.subsection("piix4_pm/memhp", 1);
        let data = writer.into_bytes();
        let mut reader = Reader::new(&data);
        assert_eq!(reader.subsection("pmsmb"), Ok(None));
        assert_eq!(reader.offset(), 0);
        let head = reader.subsection("piix4_pm").unwrap();
        assert_eq!(head, Some((&b"piix4_pm/memhp"[..], 1)));
    }

    #[test]
    fn a_truncated_subsection_head_is_an_error() {
        let mut writer = Writer::new();
        writer.subsection("a/b", 7);
        let data = writer.into_bytes();
        for end in 1..data.len() {
            assert!(Reader::new(&data[..end]).subsection("a").is_err(), "cut at {end}");
        }
    }
}
