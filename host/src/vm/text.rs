//! Code and constants in memory: the program's own, and the devices'.

#![allow(unsafe_code)]

use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::thread;
use std::time::Duration;

use rustix::mm::{Advice, madvise};

use super::PAGE;

/// When everything has started: pages that are let go of cost the processors as much as
/// those that come back.
const MOMENT: Duration = Duration::from_millis(100);

/// What the names of files with devices' code end in.
const COMPILED: &str = ".cwasm";

/// Lets go of the pages of code and constants that are mapped. Most of them only starting
/// needs: the compiler, the reading of machine files and of the command line, and what
/// compiled devices say of themselves. What is needed again comes back from the page cache.
/// A thread of its own does it, a moment later: neither guest nor clients wait.
pub fn release() {
    let release = || {
        thread::sleep(MOMENT);
        release_now();
    };
    let started = thread::Builder::new().name("release".into()).spawn(release);
    if let Err(error) = started {
        tracing::debug!(%error, "code stays in memory");
    }
}

fn release_now() {
    let Ok(program) = fs::read_link("/proc/self/exe") else { return };
    let Ok(maps) = fs::read_to_string("/proc/self/maps") else { return };
    let Ok(pages) = File::open("/proc/self/pagemap") else { return };
    let program = program.to_string_lossy();
    for range in maps.lines().filter_map(|line| code(line, &program)) {
        if !is_as_in_file(&pages, &range).unwrap_or(false) {
            continue;
        }
        let start = std::ptr::with_exposed_provenance_mut(range.start);
        // SAFETY: the range is a private mapping of a file that nobody may write to, and no
        // page of it has been written to, so its pages are the file's; dropped, they are
        // read from it again. The kernel lets nobody write to the file of a program that
        // runs, and files of compiled devices are replaced, never changed.
        let released = unsafe { madvise(start, range.len(), Advice::LinuxDontNeed) };
        if let Err(error) = released {
            tracing::debug!(%error, "code stays in memory");
        }
    }
}

/// The addresses in a line of `/proc/self/maps` (proc_pid_maps(5)) if it is code, or
/// constants, of the program or of a device.
fn code(line: &str, program: &str) -> Option<Range<usize>> {
    let mut words = line.splitn(6, ' ');
    let (addresses, permissions) = (words.next()?, words.next()?);
    let file = words.nth(3)?.trim_start();
    if !["r-xp", "r--p"].contains(&permissions) || !(file == program || file.ends_with(COMPILED)) {
        return None;
    }
    let (start, end) = addresses.split_once('-')?;
    let address = |digits| usize::from_str_radix(digits, 16).ok();
    Some(address(start)?..address(end)?)
}

/// Whether no page of a private mapping was ever written to, as addresses are put into
/// constants and code when they are loaded.
fn is_as_in_file(pages: &File, range: &Range<usize>) -> std::io::Result<bool> {
    let page = PAGE as usize;
    let mut entries = vec![0; range.len() / page * ENTRY];
    pages.read_exact_at(&mut entries, (range.start / page * ENTRY) as u64)?;
    let entries = entries.chunks_exact(ENTRY);
    let mut words = entries.map(|entry| entry.iter().rev().fold(0, |w, b| w << 8 | u64::from(*b)));
    Ok(words.all(|entry| entry & SWAPPED == 0 && (entry & PRESENT == 0 || entry & OF_FILE != 0)))
}

// `/proc/self/pagemap` (proc_pid_pagemap(5)): 64 bits for each page.
const ENTRY: usize = 8;
const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;
const OF_FILE: u64 = 1 << 61;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_of_the_program_and_of_devices_is_found() {
        let line = |permissions: &str, file: &str| {
            format!("55d0-66e0 {permissions} 00001000 fe:00 12345                      {file}")
        };
        let found = |permissions, file| code(&line(permissions, file), "/a b/prog");
        for file in ["/a b/prog", "/cache/12ab.cwasm"] {
            assert_eq!(found("r-xp", file), Some(0x55d0..0x66e0));
            assert_eq!(found("r--p", file), Some(0x55d0..0x66e0));
            for permissions in ["rw-p", "rwxp", "r--s"] {
                assert_eq!(found(permissions, file), None);
            }
        }
        assert_eq!(found("r-xp", "/a b/prog (deleted)"), None);
        assert_eq!(found("r-xp", "/lib/libc.so"), None);
        assert_eq!(code("55d0-66e0 r-xp 0 0:0 0", "/a b/prog"), None);
        assert_eq!(code("", ""), None);
    }

    /// The mappings of the program's own file.
    fn own() -> Vec<Range<usize>> {
        let maps = fs::read_to_string("/proc/self/maps").expect("there are maps");
        let program = fs::read_link("/proc/self/exe").expect("there is a program");
        maps.lines().filter_map(|line| code(line, &program.to_string_lossy())).collect()
    }

    #[test]
    fn what_was_relocated_is_kept() {
        let pages = File::open("/proc/self/pagemap").expect("it is our own");
        let is_kept = |range: &Range<usize>| !is_as_in_file(&pages, range).expect("it is there");
        // The dynamic loader has put addresses into constants, and none into code.
        assert!(own().iter().any(is_kept));
        assert!(!own().iter().all(is_kept));
    }

    #[test]
    fn the_program_runs_on() {
        release_now();
        assert!(!own().is_empty());
    }
}
