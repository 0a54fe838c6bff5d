//! The register STATUS.

/// What became of the last command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Bit 0: it is being carried out.
    pub busy: bool,
    /// Bit 1: it has ended, and nobody has acknowledged that.
    pub done: bool,
    /// Bit 2: it has failed.
    pub failed: bool,
}

impl Status {
    const BUSY: u32 = 1 << 0;
    const DONE: u32 = 1 << 1;
    const FAILED: u32 = 1 << 2;

    /// As it is read.
    #[must_use]
    pub fn bits(self) -> u32 {
        let bits = [(self.busy, Self::BUSY), (self.done, Self::DONE), (self.failed, Self::FAILED)];
        bits.into_iter().filter(|(is_set, _)| *is_set).map(|(_, bit)| bit).sum()
    }

    /// Acknowledges the end of a command, and with it that it has failed.
    pub const fn acknowledge(&mut self, word: u32) {
        if word & Self::DONE != 0 {
            self.done = false;
            self.failed = false;
        }
    }
}
