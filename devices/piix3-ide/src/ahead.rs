//! Sectors that have been read before the guest asks for them: a command that
//! moves block after block through the data register reads the medium in few
//! requests.

/// The most bytes that are read ahead: enough for the largest part of an answer
/// that a CD-ROM drive announces, with a block's beginning before it.
pub(crate) const MOST: usize = 33 * 2048;

/// What has been read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ahead {
    /// The first sector.
    pub(crate) sector: u64,
    pub(crate) data: Vec<u8>,
    /// A read of several blocks has failed: one at a time from now on, so that the
    /// guest gets those before the bad one.
    pub(crate) careful: bool,
}

impl Ahead {
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn fill(&mut self, sector: u64, data: Vec<u8>) {
        (self.sector, self.data) = (sector, data);
    }

    /// The bytes of `count` sectors, if all are there.
    pub(crate) fn get(&self, sector: u64, count: u64) -> Option<&[u8]> {
        let from = sector.checked_sub(self.sector)?.checked_mul(512)?;
        let to = count.checked_mul(512)?.checked_add(from)?;
        self.data.get(usize::try_from(from).ok()?..usize::try_from(to).ok()?)
    }
}
