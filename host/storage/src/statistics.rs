//! What a drive has done.

use std::time::Duration;

use crate::request::Operation;

/// One kind of operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many were carried out.
    pub operations: u64,
    /// How many bytes they moved.
    pub bytes: u64,
    /// How long they took altogether, without the time they waited for others.
    pub time: Duration,
    /// How many the medium failed.
    pub failed: u64,
    /// How many were refused: beyond the end, without a medium, read-only.
    pub invalid: u64,
}

/// What a drive has done since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Reads.
    pub read: Counts,
    /// Writes.
    pub write: Counts,
    /// Flushes.
    pub flush: Counts,
    /// Where the highest write ended, in bytes.
    pub highest_write: u64,
}

impl Statistics {
    pub(crate) const fn of(&mut self, operation: Operation) -> &mut Counts {
        match operation {
            Operation::Read => &mut self.read,
            Operation::Write => &mut self.write,
            Operation::Flush => &mut self.flush,
        }
    }
}
