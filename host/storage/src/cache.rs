//! Cache modes: when what the guest wrote reaches the medium.

use std::fmt;
use std::str::FromStr;

/// QEMU's `cache=`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cache {
    /// The guest's flushes are carried out; in between, the host caches.
    #[default]
    Writeback,
    /// Each write is on the medium when it is acknowledged.
    Writethrough,
    /// As `Writeback`, past the host's cache.
    None,
    /// As `Writethrough`, past the host's cache.
    Directsync,
    /// As `Writeback`, and the guest's flushes do nothing.
    Unsafe,
}

impl Cache {
    const NAMES: [(&'static str, Self); 5] = [
        ("writeback", Self::Writeback),
        ("writethrough", Self::Writethrough),
        ("none", Self::None),
        ("directsync", Self::Directsync),
        ("unsafe", Self::Unsafe),
    ];

    /// Whether each write is flushed before it is acknowledged.
    #[must_use]
    pub const fn flushes_writes(self) -> bool {
        matches!(self, Self::Writethrough | Self::Directsync)
    }

    /// Whether data goes past the host's cache.
    #[must_use]
    pub const fn is_direct(self) -> bool {
        matches!(self, Self::None | Self::Directsync)
    }

    /// Whether flushes do nothing.
    #[must_use]
    pub const fn ignores_flushes(self) -> bool {
        matches!(self, Self::Unsafe)
    }
}

/// A cache mode that does not exist.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no cache mode '{0}'; there are writeback, writethrough, none, directsync, unsafe")]
pub struct UnknownCache(String);

impl FromStr for Cache {
    type Err = UnknownCache;

    fn from_str(name: &str) -> Result<Self, UnknownCache> {
        // QEMU knows `off` as well.
        let name = if name == "off" { "none" } else { name };
        let found = Self::NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, mode)| *mode).ok_or_else(|| UnknownCache(name.to_owned()))
    }
}

impl fmt::Display for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = Self::NAMES.iter().find(|(_, mode)| mode == self);
        f.pad(found.map_or("", |(name, _)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::Cache;

    #[test]
    fn names_lead_back_to_their_modes() {
        for (name, mode) in Cache::NAMES {
            assert_eq!(name.parse(), Ok(mode));
            assert_eq!(mode.to_string(), name);
        }
        assert_eq!("off".parse(), Ok(Cache::None));
        let error = "write-back".parse::<Cache>().unwrap_err();
        assert!(error.to_string().starts_with("no cache mode 'write-back'; there are writeback,"));
    }

    #[test]
    fn modes_differ_in_what_they_do() {
        let what = |mode: Cache| (mode.flushes_writes(), mode.is_direct(), mode.ignores_flushes());
        assert_eq!(what(Cache::Writeback), (false, false, false));
        assert_eq!(what(Cache::Writethrough), (true, false, false));
        assert_eq!(what(Cache::None), (false, true, false));
        assert_eq!(what(Cache::Directsync), (true, true, false));
        assert_eq!(what(Cache::Unsafe), (false, false, true));
    }
}
