//! A connection of either kind, with a moment by which all must be done.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// A client's connection.
pub(super) enum Connection {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Connection {
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(stream) => Self::Tcp(stream.try_clone()?),
            Self::Unix(stream) => Self::Unix(stream.try_clone()?),
        })
    }

    pub(super) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.shutdown(how),
            Self::Unix(stream) => stream.shutdown(how),
        }
    }

    /// Reads some bytes until `end`; none where the client has ended.
    ///
    /// # Errors
    /// `TimedOut`, or the system's reason.
    pub(super) fn read(&self, bytes: &mut [u8], end: Instant) -> io::Result<usize> {
        until(end, |left| match self {
            Self::Tcp(stream) => {
                stream.set_read_timeout(Some(left))?;
                (&mut &*stream).read(bytes)
            }
            Self::Unix(stream) => {
                stream.set_read_timeout(Some(left))?;
                (&mut &*stream).read(bytes)
            }
        })
    }

    /// Writes all bytes until `end`.
    ///
    /// # Errors
    /// `TimedOut`: the client does not take them. Or the system's reason.
    pub(super) fn write_all(&self, mut bytes: &[u8], end: Instant) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = until(end, |left| match self {
                Self::Tcp(stream) => {
                    stream.set_write_timeout(Some(left))?;
                    (&mut &*stream).write(bytes)
                }
                Self::Unix(stream) => {
                    stream.set_write_timeout(Some(left))?;
                    (&mut &*stream).write(bytes)
                }
            })?;
            bytes = &bytes[written..];
        }
        Ok(())
    }
}

/// Tries something with the time that is left, until it comes to something.
fn until(end: Instant, mut action: impl FnMut(Duration) -> io::Result<usize>) -> io::Result<usize> {
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match action(left) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            result => return result,
        }
    }
}
