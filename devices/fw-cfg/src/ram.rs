//! Where the guest's memory lies.

/// Two ranges of RAM: from address 0 on, and above 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ram {
    pub(crate) below_4g: u64,
    pub(crate) above_4g: u64,
    /// Where the second range begins.
    pub(crate) above_4g_start: u64,
}

impl Ram {
    /// All of it, in bytes.
    pub(crate) const fn size(&self) -> u64 {
        self.below_4g.saturating_add(self.above_4g)
    }

    /// Both ranges that are not empty: first address and length.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (u64, u64)> {
        let ranges = [(0, self.below_4g), (self.above_4g_start, self.above_4g)];
        ranges.into_iter().filter(|(_, length)| *length > 0)
    }

    /// Whether every byte of a piece is RAM. What lies under the windows below
    /// 1 MiB counts as RAM, whatever they show now.
    pub(crate) fn holds(&self, address: u64, length: u32) -> bool {
        let inside = |(start, size): (u64, u64)| {
            let at = address.checked_sub(start);
            at.and_then(|at| at.checked_add(length.into())).is_some_and(|end| end <= size)
        };
        self.ranges().any(inside)
    }
}
