//! Finding the end of a stream before the end of the data is reached.

use std::collections::BTreeSet;

use super::section;
use crate::wire::Reader;

/// How often something that looks like the end is tried. A stream has it once; more
/// often it is there only if somebody put it there.
const TRIES: usize = 16;

/// Looks for the description that ends a stream.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// How much has been searched.
    searched: usize,
    /// Where descriptions end, if they are that.
    ends: BTreeSet<usize>,
    tried: usize,
}

impl Ending {
    /// Searches what is new in the data of the devices. Returns where it ends if
    /// `is_end` says so, of an end that has been reached.
    pub(super) fn find(&mut self, data: &[u8], is_end: impl Fn(usize) -> bool) -> Option<usize> {
        // The byte that ends the sections, type, length, the first of the text.
        const HEAD: usize = 1 + 1 + 4 + 1;
        let count = (data.len() + 1).saturating_sub(HEAD);
        for at in self.searched..count {
            if data[at..].starts_with(&[section::EOF, section::DESCRIPTION])
                && data[at + HEAD - 1] == b'{'
            {
                let length = Reader::new(&data[at + 2..]).integer(4).unwrap_or(0);
                self.ends.insert(at + HEAD - 1 + length as usize);
            }
        }
        self.searched = self.searched.max(count);
        while let Some(&end) = self.ends.first().filter(|end| **end <= data.len()) {
            self.ends.pop_first();
            if self.tried == TRIES {
                return None;
            }
            self.tried += 1;
            if is_end(end) {
                return Some(end);
            }
        }
        None
    }
}
