//! Files and block devices as backends.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rustix::fs::{OFlags, SeekFrom};
use vm_memory::{ReadVolatile, VolatileMemoryError, WriteVolatile};

use crate::backend::{Backend, Buffer, collect, scatter, total};
use crate::bounce::Bounce;
use crate::lock::{self, Wanted};
use crate::request::SECTOR;

/// A buffer of at least this length is given to the kernel as it is. Below, one
/// call for several buffers and a copy are cheaper than a call for each.
const STRAIGHT: usize = 64 << 10;

/// How much is moved by one call through our own memory.
const BOUNCE: usize = 1 << 20;

/// Below this length nothing is gained, and alignment cannot be tried out.
const DIRECT_LEAST: u64 = 4096;

/// An open image.
#[derive(Debug)]
pub(crate) struct ImageFile {
    file: File,
    /// Whether nobody else moves the description's position or sets its flags.
    own: bool,
    size: u64,
    locked: Option<Wanted>,
    direct: bool,
    bounce: Option<Bounce>,
    /// Why what had been written could not be made last. The kernel forgets
    /// that it could not, and so must not be asked again.
    lost: Option<rustix::io::Errno>,
}

impl ImageFile {
    pub(crate) const fn new(file: File, own: bool, size: u64, locked: Option<Wanted>) -> Self {
        Self { file, own, size, locked, direct: false, bounce: None, lost: None }
    }

    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Goes past the host's cache from now on, or says why not. `length` is the
    /// file's.
    pub(crate) fn go_direct(&mut self, length: u64) -> Result<(), &'static str> {
        if !self.own {
            return Err("its descriptor is somebody else's as well");
        }
        if length < DIRECT_LEAST || !length.is_multiple_of(SECTOR) {
            return Err("its size is not a multiple of 512, or below 4096");
        }
        if self.set_direct(true).is_err() {
            return Err("its file system has no direct I/O");
        }
        let bounce = self.bounce.get_or_insert_with(|| Bounce::new(BOUNCE));
        if self.file.read_at(bounce.first(SECTOR as usize), SECTOR).is_err() {
            let _ = self.set_direct(false);
            return Err("single sectors cannot be reached there without it");
        }
        self.direct = true;
        Ok(())
    }

    fn set_direct(&self, direct: bool) -> io::Result<()> {
        let mut flags = rustix::fs::fcntl_getfl(&self.file)?;
        flags.set(OFlags::DIRECT, direct);
        Ok(rustix::fs::fcntl_setfl(&self.file, flags)?)
    }

    /// Whether an error says that this transfer cannot be direct; then later ones
    /// are not.
    fn turned_back(&mut self, error: &io::Error) -> bool {
        let refused = error.raw_os_error() == Some(rustix::io::Errno::INVAL.raw_os_error());
        if !self.direct || !refused || self.set_direct(false).is_err() {
            return false;
        }
        self.direct = false;
        true
    }

    /// Whether the kernel can be given a buffer itself: the position from which it
    /// then reads and writes is the description's.
    fn is_straight(&self, offset: u64, buffer: &Buffer<'_>) -> bool {
        let aligned = |value: u64| value.is_multiple_of(DIRECT_LEAST);
        self.own
            && buffer.len() >= STRAIGHT
            && (!self.direct
                || offset.is_multiple_of(SECTOR)
                    && aligned(buffer.len() as u64)
                    && aligned(buffer.ptr_guard().as_ptr() as u64))
    }

    /// How many of the first buffers go through our memory together, and how many
    /// bytes of them.
    fn group(&self, offset: u64, buffers: &[Buffer<'_>]) -> (usize, usize) {
        let (mut count, mut bytes) = (0, 0);
        for buffer in buffers {
            let whole = !self.direct || (bytes as u64).is_multiple_of(SECTOR);
            let straight = self.is_straight(offset.wrapping_add(bytes as u64), buffer);
            if bytes == BOUNCE || (count > 0 && whole && straight) {
                break;
            }
            count += 1;
            bytes = BOUNCE.min(bytes + buffer.len());
        }
        (count, bytes)
    }

    fn read_some(&mut self, offset: u64, into: &[Buffer<'_>]) -> io::Result<u64> {
        let Some(first) = into.first() else { return Ok(0) };
        if self.is_straight(offset, first) {
            rustix::fs::seek(&self.file, SeekFrom::Start(offset))?;
            return match (&self.file)
                .read_volatile(&mut first.offset(0).map_err(plain)?)
                .map_err(plain)?
            {
                0 => zeros(&into[..1]),
                done => Ok(done as u64),
            };
        }
        let (count, bytes) = self.group(offset, into);
        let into = &into[..count];
        let bounce = self.bounce.get_or_insert_with(|| Bounce::new(BOUNCE)).first(bytes);
        match self.file.read_at(bounce, offset)? {
            0 => zeros(into),
            done => {
                scatter(&bounce[..done], into);
                Ok(done as u64)
            }
        }
    }

    fn write_some(&mut self, offset: u64, from: &[Buffer<'_>]) -> io::Result<u64> {
        let Some(first) = from.first() else { return Ok(0) };
        if self.is_straight(offset, first) {
            rustix::fs::seek(&self.file, SeekFrom::Start(offset))?;
            return (&self.file).write_volatile(first).map(|done| done as u64).map_err(plain);
        }
        let (count, bytes) = self.group(offset, from);
        let bounce = self.bounce.get_or_insert_with(|| Bounce::new(BOUNCE)).first(bytes);
        collect(bounce, &from[..count]);
        self.file.write_at(bounce, offset).map(|done| done as u64)
    }
}

impl Backend for ImageFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&mut self, offset: u64, into: &[Buffer<'_>]) -> io::Result<u64> {
        match self.read_some(offset, into) {
            Err(error) if self.turned_back(&error) => self.read_some(offset, into),
            outcome => outcome,
        }
    }

    fn write_at(&mut self, offset: u64, from: &[Buffer<'_>]) -> io::Result<u64> {
        match self.write_some(offset, from) {
            Err(error) if self.turned_back(&error) => self.write_some(offset, from),
            outcome => outcome,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(error) = self.lost {
            return Err(error.into());
        }
        match rustix::io::retry_on_intr(|| rustix::fs::fdatasync(&self.file)) {
            Ok(()) => Ok(()),
            Err(error) => {
                if !self.direct {
                    self.lost = Some(error);
                }
                Err(error.into())
            }
        }
    }
}

impl Drop for ImageFile {
    /// Closing does not unlock what somebody else has open as well.
    fn drop(&mut self) {
        if let Some(wanted) = self.locked {
            lock::release(&self.file, wanted);
        }
    }
}

/// What lies behind the file's end, up to the last sector's or where others have
/// cut the file.
fn zeros(into: &[Buffer<'_>]) -> io::Result<u64> {
    let none = [0; 4096];
    for buffer in into {
        let mut rest = *buffer;
        while !rest.is_empty() {
            let take = rest.len().min(none.len());
            rest.copy_from(&none[..take]);
            rest = rest.offset(take).map_err(plain)?;
        }
    }
    Ok(total(into))
}

fn plain(error: VolatileMemoryError) -> io::Error {
    match error {
        VolatileMemoryError::IOError(error) => error,
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests;
