//! Locks that keep two guests from writing to one image, as QEMU's processes
//! take them.
//!
//! What a user of an image does, and what it does not want others to do, are
//! numbered alike. It holds a read lock on byte 100 + n for each thing it does,
//! and on byte 200 + n for each that others must not do. Having taken its own, it
//! asks whether anybody has the opposite ones. The locks belong to the open file
//! description, not to the process.

use std::fs::File;
use std::str::FromStr;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

/// QEMU's `locking=`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Locking {
    /// Locks where the file system can.
    #[default]
    Auto,
    /// Refuses where the file system cannot.
    On,
    /// Does not lock, and does not ask.
    Off,
}

/// A word that is not `on`, `off` or `auto`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{0}' is not a way to lock images; there are on, off, auto")]
pub struct UnknownLocking(String);

impl FromStr for Locking {
    type Err = UnknownLocking;

    fn from_str(name: &str) -> Result<Self, UnknownLocking> {
        match name {
            "auto" => Ok(Self::Auto),
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => Err(UnknownLocking(name.to_owned())),
        }
    }
}

/// Things one can do to an image, by QEMU's numbers.
const CONSISTENT_READ: u8 = 0;
const WRITE: u8 = 1;
const RESIZE: u8 = 3;

const NAMES: [(u8, &str); 3] =
    [(CONSISTENT_READ, "consistent read"), (WRITE, "write"), (RESIZE, "resize")];

/// Where the bytes of what is done start.
const DONE: i64 = 100;

/// Where the bytes of what others must not do start.
const FORBIDDEN: i64 = 200;

/// What the image is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// It is written to.
    pub(crate) write: bool,
    /// Others may write to it.
    pub(crate) share_write: bool,
    /// Others may change its size.
    pub(crate) share_resize: bool,
}

impl Wanted {
    /// The numbers of what is done.
    fn done(self) -> impl Iterator<Item = u8> {
        [(CONSISTENT_READ, true), (WRITE, self.write)].into_iter().filter(|it| it.1).map(|it| it.0)
    }

    /// The numbers of what others must not do.
    fn forbidden(self) -> impl Iterator<Item = u8> {
        [(WRITE, !self.share_write), (RESIZE, !self.share_resize)]
            .into_iter()
            .filter(|it| it.1)
            .map(|it| it.0)
    }

    fn bytes(self) -> impl Iterator<Item = i64> {
        let done = self.done().map(|number| DONE + i64::from(number));
        done.chain(self.forbidden().map(|number| FORBIDDEN + i64::from(number)))
    }
}

/// Why an image was not locked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotLocked {
    /// Somebody forbids what is wanted (then `shared` is empty) or does what is
    /// not to be shared (then it is `shared `).
    Taken { shared: &'static str, what: &'static str },
    /// The file system knows no locks.
    Unsupported(Errno),
}

/// Takes the locks, or none.
pub(crate) fn acquire(file: &File, wanted: Wanted) -> Result<(), NotLocked> {
    let result = take(file, wanted);
    if result.is_err() {
        release(file, wanted);
    }
    result
}

/// Gives the locks back. Closing the file does so as well, if nobody else has the
/// same description.
pub(crate) fn release(file: &File, wanted: Wanted) {
    for byte in wanted.bytes() {
        // What is not locked cannot be in anybody's way.
        let _ = fcntl(file, FcntlArg::F_OFD_SETLK(&range(libc::F_UNLCK, byte)));
    }
}

fn take(file: &File, wanted: Wanted) -> Result<(), NotLocked> {
    for byte in wanted.bytes() {
        match fcntl(file, FcntlArg::F_OFD_SETLK(&range(libc::F_RDLCK, byte))) {
            Ok(_) => {}
            // Not QEMU, which takes no exclusive locks, but somebody has it.
            Err(Errno::EAGAIN | Errno::EACCES) => {
                let number = if byte < FORBIDDEN { byte - DONE } else { byte - FORBIDDEN };
                let shared = if byte < FORBIDDEN { "" } else { "shared " };
                return Err(NotLocked::Taken { shared, what: name(number as u8) });
            }
            Err(error) => return Err(NotLocked::Unsupported(error)),
        }
    }
    for number in wanted.done() {
        if is_locked(file, FORBIDDEN + i64::from(number))? {
            return Err(NotLocked::Taken { shared: "", what: name(number) });
        }
    }
    for number in wanted.forbidden() {
        if is_locked(file, DONE + i64::from(number))? {
            return Err(NotLocked::Taken { shared: "shared ", what: name(number) });
        }
    }
    Ok(())
}

/// Whether anybody else has a lock on a byte.
fn is_locked(file: &File, byte: i64) -> Result<bool, NotLocked> {
    let mut question = range(libc::F_WRLCK, byte);
    match fcntl(file, FcntlArg::F_OFD_GETLK(&mut question)) {
        Ok(_) => Ok(i32::from(question.l_type) != libc::F_UNLCK),
        Err(error) => Err(NotLocked::Unsupported(error)),
    }
}

fn range(kind: libc::c_int, byte: i64) -> libc::flock {
    libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: byte,
        l_len: 1,
        l_pid: 0,
    }
}

fn name(number: u8) -> &'static str {
    NAMES.iter().find(|(known, _)| *known == number).map_or("unknown", |(_, name)| name)
}

#[cfg(test)]
mod tests;
