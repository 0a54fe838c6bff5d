//! Lines from a client that may send anything.

use std::io::{self, Read};

/// Bytes asked for at once.
const CHUNK: usize = 16 << 10;

/// A line without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Whole(&'a [u8]),
    /// It was dropped.
    TooLong,
}

/// The lines that have been received from `reader`.
pub(super) struct Lines<R> {
    reader: R,
    /// Bytes in a line, without its end.
    longest: usize,
    /// Its first `filled` bytes have been received.
    buffer: Vec<u8>,
    filled: usize,
    /// Where the next line begins.
    start: usize,
    /// Up to where there is no end of it.
    searched: usize,
    /// The beginning of the next line was dropped already.
    too_long: bool,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(reader: R, longest: usize) -> Self {
        let buffer = vec![0; CHUNK];
        Self { reader, longest, buffer, filled: 0, start: 0, searched: 0, too_long: false }
    }

    /// Waits for more. False at the end, where half a line counts as none.
    pub(super) fn receive(&mut self) -> io::Result<bool> {
        self.make_room();
        loop {
            return match self.reader.read(&mut self.buffer[self.filled..]) {
                Ok(count) => {
                    self.filled += count;
                    Ok(count != 0)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
        }
    }

    /// The next line that has been received whole.
    pub(super) fn next(&mut self) -> Option<Line<'_>> {
        let received = &self.buffer[self.searched..self.filled];
        let Some(length) = received.iter().position(|&byte| byte == b'\n') else {
            self.searched = self.filled;
            return None;
        };
        let (start, end) = (self.start, self.searched + length);
        self.start = end + 1;
        self.searched = self.start;
        let too_long = std::mem::take(&mut self.too_long) || end - start > self.longest;
        Some(if too_long { Line::TooLong } else { Line::Whole(&self.buffer[start..end]) })
    }

    /// Moves the beginning of a line to the front, or drops it if it cannot
    /// become a line, and sees to it that there is room behind.
    fn make_room(&mut self) {
        if self.filled - self.start > self.longest {
            self.too_long = true;
            self.start = self.filled;
        }
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.start = 0;
        self.searched = self.filled;
        if self.filled == 0 {
            self.buffer.truncate(CHUNK);
            self.buffer.shrink_to(CHUNK);
        } else if self.buffer.len() - self.filled < CHUNK {
            self.buffer.resize(self.filled + CHUNK.max(self.filled), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives at most so many bytes at once.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = self.1.min(buffer.len());
            self.0.read(&mut buffer[..most])
        }
    }

    /// All lines; none for one that is too long.
    fn lines(bytes: &[u8], at_once: usize, longest: usize) -> Vec<Option<Vec<u8>>> {
        let mut lines = Lines::new(Drip(bytes, at_once), longest);
        let mut found = Vec::new();
        while lines.receive().unwrap() {
            while let Some(line) = lines.next() {
                found.push(match line {
                    Line::Whole(line) => Some(line.to_vec()),
                    Line::TooLong => None,
                });
            }
        }
        found
    }

    #[test]
    fn half_a_line_at_the_end_is_none() {
        assert_eq!(lines(b"one\n\ntw", 100, 9), [Some(b"one".to_vec()), Some(vec![])]);
    }

    #[test]
    fn a_long_line_costs_no_memory_but_its_length() {
        let mut bytes = vec![b'a'; 40 * CHUNK];
        bytes.extend_from_slice(b"\nb\n");
        let mut lines = Lines::new(&bytes[..], CHUNK);
        let mut found = 0;
        while lines.receive().unwrap() {
            while let Some(line) = lines.next() {
                let expected = if found == 0 { Line::TooLong } else { Line::Whole(b"b") };
                assert_eq!(line, expected);
                found += 1;
            }
            assert!(lines.buffer.len() <= 4 * CHUNK);
        }
        assert_eq!(found, 2);
    }

    proptest! {
        /// However the bytes arrive, the lines are the same.
        #[test]
        fn lines_are_what_ends_with_a_newline(
            bytes in prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200),
            at_once in 1_usize..50,
            longest in 0_usize..20,
        ) {
            let mut expected: Vec<_> = bytes
                .split(|byte| *byte == b'\n')
                .map(|line| (line.len() <= longest).then(|| line.to_vec()))
                .collect();
            expected.pop();
            prop_assert_eq!(lines(&bytes, at_once, longest), expected);
        }
    }
}
