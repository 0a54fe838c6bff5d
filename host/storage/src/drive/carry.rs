//! One request, carried out.

use std::io;

use super::{Medium, MediumInfo};
use crate::backend::{Buffer, read_exact, write_all};
use crate::gather::{Gather, OUTSIDE};
use crate::memory::{Direction, GuestMemory};
use crate::request::{Operation, Piece, Request};

/// What stands for memory that is not there.
#[derive(Default)]
pub(super) struct Outside {
    /// What is read from there.
    zeros: Vec<u8>,
    /// Where what is written there goes.
    dropped: Vec<u8>,
}

impl Outside {
    fn buffer(&mut self, direction: Direction) -> Buffer<'_> {
        let bytes = match direction {
            Direction::FromMemory => &mut self.zeros,
            Direction::ToMemory => &mut self.dropped,
        };
        bytes.resize(OUTSIDE, 0);
        Buffer::from(&mut bytes[..])
    }
}

/// Whether a medium lets a request be tried at all.
pub(super) fn is_possible(medium: Option<MediumInfo>, request: &Request) -> bool {
    let Some(medium) = medium else { return false };
    let writes = request.operation() == Operation::Write;
    request.fits(medium.size) && !(writes && medium.read_only)
}

/// Carries out a request that [`is_possible`]. The result is what was read.
pub(super) fn carry_out(
    medium: &mut Medium,
    request: &mut Request,
    memory: &dyn GuestMemory,
    outside: &mut Outside,
) -> io::Result<Vec<u8>> {
    match request {
        Request::Read { offset, length } => {
            let mut data = vec![0; *length as usize];
            read_exact(&mut *medium.backend, *offset, &mut [Buffer::from(&mut data[..])])?;
            return Ok(data);
        }
        Request::ToMemory { offset, pieces } => {
            let direction = Direction::ToMemory;
            in_windows(*offset, pieces, memory, direction, outside, |offset, buffers| {
                read_exact(&mut *medium.backend, offset, buffers)
            })?;
        }
        Request::Write { offset, data } => {
            write_all(&mut *medium.backend, *offset, &mut [Buffer::from(&mut data[..])])?;
            after_write(medium)?;
        }
        Request::FromMemory { offset, pieces } => {
            let direction = Direction::FromMemory;
            in_windows(*offset, pieces, memory, direction, outside, |offset, buffers| {
                write_all(&mut *medium.backend, offset, buffers)
            })?;
            after_write(medium)?;
        }
        Request::Flush => medium.flush()?,
    }
    Ok(Vec::new())
}

fn after_write(medium: &mut Medium) -> io::Result<()> {
    if medium.cache.flushes_writes() { medium.flush() } else { Ok(()) }
}

/// Hands out the buffers that pieces are, some megabytes at a time.
fn in_windows(
    mut offset: u64,
    pieces: &[Piece],
    memory: &dyn GuestMemory,
    direction: Direction,
    outside: &mut Outside,
    mut transfer: impl FnMut(u64, &mut [Buffer<'_>]) -> io::Result<()>,
) -> io::Result<()> {
    let outside = outside.buffer(direction);
    let mut gather = Gather::new(pieces);
    let mut buffers = Vec::new();
    loop {
        let bytes = gather.next(memory, direction, outside, &mut buffers);
        if bytes == 0 {
            return Ok(());
        }
        transfer(offset, &mut buffers)?;
        offset = offset.saturating_add(bytes);
    }
}
