//! A medium in the host's memory.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::backend::{Backend, Buffer, collect, scatter, total};
use crate::request::SECTOR;

/// A medium that is there for as long as the process.
///
/// It remembers what was flushed, so that a test can tell what a power failure
/// would have left.
#[derive(Debug)]
pub struct Ram {
    size: u64,
    view: RamView,
}

/// What is in a [`Ram`], also while a drive has it.
#[derive(Clone, Debug)]
pub struct RamView {
    inner: Arc<Mutex<Contents>>,
}

#[derive(Debug)]
struct Contents {
    now: Vec<u8>,
    /// What was there at the last flush.
    flushed: Vec<u8>,
}

impl Ram {
    /// A medium with these contents, and zeros up to the next whole sector.
    #[must_use]
    pub fn new(mut contents: Vec<u8>) -> Self {
        contents.resize(contents.len().next_multiple_of(SECTOR as usize), 0);
        let size = contents.len() as u64;
        let inner = Contents { flushed: contents.clone(), now: contents };
        Self { size, view: RamView { inner: Arc::new(Mutex::new(inner)) } }
    }

    /// What is in it.
    #[must_use]
    pub fn view(&self) -> RamView {
        self.view.clone()
    }
}

impl RamView {
    /// What a read would find.
    #[must_use]
    pub fn now(&self) -> Vec<u8> {
        self.lock().now.clone()
    }

    /// What was there at the last flush.
    #[must_use]
    pub fn flushed(&self) -> Vec<u8> {
        self.lock().flushed.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of the contents that `length` bytes at `offset` touch.
fn part(contents: &mut [u8], offset: u64, length: u64) -> &mut [u8] {
    let size = contents.len();
    let bound = |at: u64| usize::try_from(at).map_or(size, |at| at.min(size));
    let (start, end) = (bound(offset), bound(offset.saturating_add(length)));
    &mut contents[start..end]
}

impl Backend for Ram {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&mut self, offset: u64, into: &[Buffer<'_>]) -> io::Result<u64> {
        let mut contents = self.view.lock();
        let part = part(&mut contents.now, offset, total(into));
        scatter(part, into);
        Ok(part.len() as u64)
    }

    fn write_at(&mut self, offset: u64, from: &[Buffer<'_>]) -> io::Result<u64> {
        let mut contents = self.view.lock();
        let part = part(&mut contents.now, offset, total(from));
        collect(part, from);
        Ok(part.len() as u64)
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut contents = self.view.lock();
        let Contents { now, flushed } = &mut *contents;
        flushed.copy_from_slice(now);
        Ok(())
    }
}
