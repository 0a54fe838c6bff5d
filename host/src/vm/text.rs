//! The program's own code in memory.

#![allow(unsafe_code)]

use std::fs;
use std::ops::Range;

use rustix::mm::{Advice, madvise};

/// Lets go of the pages of the program's code and constants that are mapped. Most of them only
/// starting needs: the compiler, the reading of machine files and of the command line.
/// What is needed again comes back from the page cache.
pub fn release() {
    let Ok(program) = fs::read_link("/proc/self/exe") else { return };
    let Ok(maps) = fs::read_to_string("/proc/self/maps") else { return };
    let program = program.to_string_lossy();
    for range in maps.lines().filter_map(|line| code(line, &program)) {
        let start = std::ptr::with_exposed_provenance_mut(range.start);
        // SAFETY: the range is a private mapping of the program's file that nobody has
        // written to since the loader mapped it, so its pages are the file's; dropped, they are
        // read from it again. The kernel lets nobody write to the file of a program
        // that runs.
        let released = unsafe { madvise(start, range.len(), Advice::LinuxDontNeed) };
        if let Err(error) = released {
            tracing::debug!(%error, "the program's code stays in memory");
        }
    }
}

/// The addresses in a line of `/proc/self/maps` (proc_pid_maps(5)) if it is code, or
/// constants, of the program that nobody can have changed.
fn code(line: &str, program: &str) -> Option<Range<usize>> {
    let mut words = line.splitn(6, ' ');
    let (addresses, permissions, offset) = (words.next()?, words.next()?, words.next()?);
    let file = words.nth(2)?.trim_start();
    // Constants lie before the code, from the file's beginning on. What could be read
    // only later, after its addresses had been put in, lies behind it.
    let is_constant = permissions == "r--p" && offset.bytes().all(|digit| digit == b'0');
    if !(permissions == "r-xp" || is_constant) || file != program {
        return None;
    }
    let (start, end) = addresses.split_once('-')?;
    let address = |digits| usize::from_str_radix(digits, 16).ok();
    Some(address(start)?..address(end)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_of_the_program_is_found() {
        let line = |permissions: &str, file: &str| {
            format!("55d0-66e0 {permissions} 00001000 fe:00 12345                      {file}")
        };
        let found = |permissions, file| code(&line(permissions, file), "/a b/prog");
        assert_eq!(found("r-xp", "/a b/prog"), Some(0x55d0..0x66e0));
        assert_eq!(found("r--p", "/a b/prog"), None);
        let constants = "55d0-66e0 r--p 00000000 fe:00 12345                      /a b/prog";
        assert_eq!(code(constants, "/a b/prog"), Some(0x55d0..0x66e0));
        assert_eq!(found("rwxp", "/a b/prog"), None);
        assert_eq!(found("r-xp", "/a b/prog (deleted)"), None);
        assert_eq!(found("r-xp", "/lib/libc.so"), None);
        assert_eq!(code("55d0-66e0 r-xp 0 0:0 0", "/a b/prog"), None);
        assert_eq!(code("", ""), None);
    }

    #[test]
    fn the_program_runs_on() {
        release();
        let maps = fs::read_to_string("/proc/self/maps").expect("there are maps");
        let program = fs::read_link("/proc/self/exe").expect("there is a program");
        let own = maps.lines().filter_map(|line| code(line, &program.to_string_lossy()));
        assert_ne!(own.count(), 0);
    }
}
