//! How much RAM there is and where it lies.

use vm_memory::{GuestAddress, GuestMemoryMmap};

use super::{FOUR_GIB, host};
use crate::vm::Error;

const MIB: u64 = 1 << 20;

/// Above this, addresses below 4 GiB belong to the interrupt controllers
/// (0xfec00000, 0xfee00000), KVM's own pages and the firmware (16 MiB).
const LAST_LIMIT: u64 = 0xfe00_0000;

/// The size of RAM and its place. Sizes are in bytes and multiples of 1 MiB.
///
/// RAM smaller than `below_4g_limit` lies whole at address 0. Of other RAM the
/// first `below_4g_split` bytes do, and the rest lies at 4 GiB. QEMU's `pc` has
/// 3.5 GiB and 3 GiB here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RamLayout {
    /// The size of all RAM.
    pub size: u64,
    /// The size from which on RAM is split.
    pub below_4g_limit: u64,
    /// The size of the part below 4 GiB of RAM that is split; at most
    /// `below_4g_limit`.
    pub below_4g_split: u64,
}

impl RamLayout {
    /// The sizes of the parts at address 0 and at 4 GiB.
    ///
    /// # Errors
    ///
    /// The size is 0, more than the host's RAM and swap, or not a multiple of
    /// 1 MiB; or the limits are out of range.
    pub fn parts(&self) -> Result<(u64, u64), Error> {
        self.check()?;
        if self.size < self.below_4g_limit {
            Ok((self.size, 0))
        } else {
            Ok((self.below_4g_split, self.size - self.below_4g_split))
        }
    }

    fn check(&self) -> Result<(), Error> {
        let limits = |expected| Error::RamLayout {
            limit: self.below_4g_limit,
            split: self.below_4g_split,
            expected,
        };
        if !(MIB..=LAST_LIMIT).contains(&self.below_4g_limit) {
            return Err(limits("expected a limit from 1 MiB to 0xfe000000"));
        }
        if !(MIB..=self.below_4g_limit).contains(&self.below_4g_split) {
            return Err(limits("expected a split from 1 MiB to the limit"));
        }
        if !self.below_4g_limit.is_multiple_of(MIB) || !self.below_4g_split.is_multiple_of(MIB) {
            return Err(limits("expected multiples of 1 MiB"));
        }
        if self.size == 0 {
            return Err(Error::NoRam);
        }
        if !self.size.is_multiple_of(MIB) {
            return Err(Error::RamNotInMebibytes(self.size));
        }
        let available = host::total()?;
        if self.size > available {
            return Err(Error::RamBeyondHost {
                asked: self.size / MIB,
                available: available / MIB,
            });
        }
        Ok(())
    }

    /// Maps the RAM: one region at 0, and one at 4 GiB if there is that part.
    ///
    /// # Errors
    ///
    /// As [`parts`](Self::parts), or the host refuses the mapping.
    pub fn allocate(&self) -> Result<GuestMemoryMmap, Error> {
        let (below, above) = self.parts()?;
        let regions = [(0, below), (FOUR_GIB, above)]
            .into_iter()
            .filter(|&(_, size)| size != 0)
            .map(|(start, size)| Ok((GuestAddress(start), usize::try_from(size)?)))
            .collect::<Result<Vec<_>, std::num::TryFromIntError>>();
        let failed = |reason: String| Error::MapRam { size: self.size, reason };
        let regions = regions.map_err(|error| failed(error.to_string()))?;
        GuestMemoryMmap::from_ranges(&regions).map_err(|error| failed(error.to_string()))
    }
}
