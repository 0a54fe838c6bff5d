//! What a drive reads from and writes to.

use std::io;

use vm_memory::VolatileSlice;

/// Memory that data is read into or written from: the guest's, or the host's own
/// (`Buffer::from(&mut [u8])`). Somebody else may change it at any time.
pub type Buffer<'a> = VolatileSlice<'a, ()>;

/// Bytes that outlive the machine.
///
/// Like the system calls, reads and writes may do less than they are asked for;
/// [`read_exact`] and [`write_all`] do everything. Offsets and whole lengths are
/// multiples of 512 and lie within [`size`](Self::size) where a drive calls; a
/// single buffer's length can be anything.
pub trait Backend: Send {
    /// Length in bytes, a multiple of 512.
    fn size(&self) -> u64;

    /// Reads what lies at `offset` into the buffers, one after the other, and says
    /// how many bytes it did.
    ///
    /// # Errors
    ///
    /// Nothing could be read.
    fn read_at(&mut self, offset: u64, into: &[Buffer<'_>]) -> io::Result<u64>;

    /// Writes what is in the buffers to `offset`, and says how many bytes it did.
    ///
    /// # Errors
    ///
    /// Nothing could be written.
    fn write_at(&mut self, offset: u64, from: &[Buffer<'_>]) -> io::Result<u64>;

    /// Returns when all that was written is on the medium for good.
    ///
    /// # Errors
    ///
    /// Something that was written may be lost.
    fn flush(&mut self) -> io::Result<()>;
}

/// Fills the buffers with what lies at `offset`. They are used up.
///
/// # Errors
///
/// The backend's, after some of the buffers may have been filled.
pub fn read_exact(
    backend: &mut dyn Backend,
    offset: u64,
    into: &mut [Buffer<'_>],
) -> io::Result<()> {
    all(offset, into, io::ErrorKind::UnexpectedEof, |offset, into| backend.read_at(offset, into))
}

/// Writes all that is in the buffers to `offset`. They are used up.
///
/// # Errors
///
/// The backend's, after some of the bytes may have been written.
pub fn write_all(
    backend: &mut dyn Backend,
    offset: u64,
    from: &mut [Buffer<'_>],
) -> io::Result<()> {
    all(offset, from, io::ErrorKind::WriteZero, |offset, from| backend.write_at(offset, from))
}

/// Goes on until all buffers are done. `stuck` is the error if nothing moves.
fn all(
    mut offset: u64,
    buffers: &mut [Buffer<'_>],
    stuck: io::ErrorKind,
    mut step: impl FnMut(u64, &[Buffer<'_>]) -> io::Result<u64>,
) -> io::Result<()> {
    let mut rest = buffers;
    loop {
        let empty = rest.iter().take_while(|buffer| buffer.is_empty()).count();
        rest = rest.split_at_mut(empty).1;
        if rest.is_empty() {
            return Ok(());
        }
        let mut done = match step(offset, rest) {
            Ok(0) => return Err(stuck.into()),
            Ok(done) => done,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        offset = offset.saturating_add(done);
        while done > 0 {
            let Some(first) = rest.first_mut() else {
                return Err(io::Error::other("the backend did more than it was asked for"));
            };
            match first.offset(usize::try_from(done).unwrap_or(usize::MAX)) {
                Ok(left) => {
                    *first = left;
                    break;
                }
                Err(_) => done -= first.len() as u64,
            }
            rest = rest.split_at_mut(1).1;
        }
    }
}

/// How many bytes buffers have.
pub(crate) fn total(buffers: &[Buffer<'_>]) -> u64 {
    buffers.iter().map(|buffer| buffer.len() as u64).sum()
}

/// Copies bytes into buffers, as far as they go.
pub(crate) fn scatter(mut bytes: &[u8], into: &[Buffer<'_>]) {
    for buffer in into {
        let (now, later) = bytes.split_at(buffer.len().min(bytes.len()));
        buffer.copy_from(now);
        bytes = later;
    }
}

/// Copies bytes out of buffers until `bytes` is full or they end.
pub(crate) fn collect(mut bytes: &mut [u8], from: &[Buffer<'_>]) {
    for buffer in from {
        let (now, later) = bytes.split_at_mut(buffer.len().min(bytes.len()));
        buffer.copy_to(now);
        bytes = later;
    }
}

#[cfg(test)]
mod tests;
