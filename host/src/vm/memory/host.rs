//! How much memory the host has.

use std::fs;
use std::io;

use crate::vm::Error;

/// The host's RAM and swap, in bytes.
pub(super) fn total() -> Result<u64, Error> {
    let meminfo = fs::read_to_string("/proc/meminfo").map_err(Error::HostRam)?;
    parse(&meminfo).ok_or_else(|| {
        Error::HostRam(io::Error::new(
            io::ErrorKind::InvalidData,
            "expected a line `MemTotal: N kB`",
        ))
    })
}

/// `MemTotal` plus `SwapTotal` (see proc_meminfo(5)), in bytes.
fn parse(meminfo: &str) -> Option<u64> {
    let kilobytes = |key: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(key))?;
        let number = line.strip_prefix(':')?.trim().strip_suffix("kB")?;
        number.trim().parse::<u64>().ok()
    };
    let kilobytes = kilobytes("MemTotal")?.checked_add(kilobytes("SwapTotal").unwrap_or(0))?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_ram_and_swap() {
        let meminfo = "MemTotal:       1000 kB\nMemFree:  7 kB\nSwapTotal:   24 kB\n";
        assert_eq!(parse(meminfo), Some(1024 * 1024));
        assert_eq!(parse("MemTotal: 2 kB\n"), Some(2048));
        assert_eq!(parse("MemFree: 2 kB\n"), None);
        assert_eq!(parse("MemTotal: many kB\n"), None);
    }
}
