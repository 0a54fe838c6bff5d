use std::fs;
use std::os::unix::fs::MetadataExt;

use proptest::prelude::*;
use tempfile::NamedTempFile;

use super::*;

fn again(file: &NamedTempFile) -> File {
    File::options().read(true).write(true).open(file.path()).unwrap()
}

const fn wanted(write: bool, share_write: bool, share_resize: bool) -> Wanted {
    Wanted { write, share_write, share_resize }
}

/// The bytes on which there are locks, as the kernel tells them.
fn locked(file: &NamedTempFile) -> Vec<i64> {
    let inode = format!(":{}", fs::metadata(file.path()).unwrap().ino());
    let mut bytes = Vec::new();
    for line in fs::read_to_string("/proc/locks").unwrap().lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["OFDLCK", "ADVISORY", "READ", _, place, start, end] = words[1..]
            && place.ends_with(&inode)
        {
            bytes.extend(start.parse::<i64>().unwrap()..=end.parse().unwrap());
        }
    }
    bytes.sort_unstable();
    bytes
}

#[test]
fn the_locks_are_qemus() {
    // As QEMU 7.2 has them for a disk, one with share-rw=on, a disk that is
    // read-only, a CD, a CD with share-rw=on, and a floppy disk.
    for (wanted, bytes) in [
        (wanted(true, false, true), &[100, 101, 201][..]),
        (wanted(true, true, true), &[100, 101]),
        (wanted(false, false, true), &[100, 201]),
        (wanted(false, false, false), &[100, 201, 203]),
        (wanted(false, true, false), &[100, 203]),
        (wanted(true, false, false), &[100, 101, 201, 203]),
    ] {
        let file = NamedTempFile::new().unwrap();
        let first = again(&file);
        acquire(&first, wanted).unwrap();
        assert_eq!(locked(&file), bytes, "{wanted:?}");
        release(&first, wanted);
        assert_eq!(locked(&file), []);
    }
}

#[test]
fn messages_name_what_is_in_the_way() {
    let file = NamedTempFile::new().unwrap();
    let (first, second) = (again(&file), again(&file));
    let writer = wanted(true, false, true);
    acquire(&first, writer).unwrap();
    let taken = |shared, what| Err(NotLocked::Taken { shared, what });
    assert_eq!(acquire(&second, writer), taken("", "write"));
    assert_eq!(acquire(&second, wanted(false, false, true)), taken("shared ", "write"));
    assert_eq!(acquire(&second, wanted(false, true, true)), Ok(()));
    release(&second, wanted(false, true, true));
    // Who was refused has left nothing behind.
    assert_eq!(locked(&file), [100, 101, 201]);
    drop(first);
    assert_eq!(acquire(&second, writer), Ok(()));
}

#[test]
fn an_exclusive_lock_is_in_the_way() {
    let file = NamedTempFile::new().unwrap();
    let (first, second) = (again(&file), again(&file));
    fcntl(&first, FcntlArg::F_OFD_SETLK(&range(libc::F_WRLCK, 201))).unwrap();
    let taken = NotLocked::Taken { shared: "shared ", what: "write" };
    assert_eq!(acquire(&second, wanted(true, false, true)), Err(taken));
}

proptest! {
    #[test]
    fn two_have_an_image_only_if_both_want_that(
        first in (any::<bool>(), any::<bool>(), any::<bool>()),
        second in (any::<bool>(), any::<bool>(), any::<bool>()),
    ) {
        let file = NamedTempFile::new().unwrap();
        let (one, other) = (again(&file), again(&file));
        let first = wanted(first.0, first.1, first.2);
        let second = wanted(second.0, second.1, second.2);
        acquire(&one, first).unwrap();
        let both = (!second.write || first.share_write) && (!first.write || second.share_write);
        prop_assert_eq!(acquire(&other, second).is_ok(), both);
    }
}

#[test]
fn ways_to_lock_have_names() {
    assert_eq!("auto".parse(), Ok(Locking::Auto));
    assert_eq!("on".parse(), Ok(Locking::On));
    assert_eq!("off".parse(), Ok(Locking::Off));
    assert!("yes".parse::<Locking>().unwrap_err().to_string().contains("on, off, auto"));
}
