//! Lines from a peer that may send anything, or nothing.

use std::io::{self, BufRead as _, BufReader};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// How much is taken from a peer.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// Bytes of a line, without its end.
    pub(super) longest: usize,
    /// How long the peer may be silent before a line; for ever if none.
    pub(super) before: Option<Duration>,
    /// How long a line may take from its first byte to its last.
    pub(super) within: Duration,
}

/// Why there is no line.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    #[error("a line of more than {0} bytes; shorter ones are expected")]
    TooLong(usize),
    #[error("a line that is not completed within {} s", .0.as_secs())]
    TooSlow(Duration),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The lines of a connection.
pub(super) struct Lines {
    reader: BufReader<UnixStream>,
    patience: Patience,
}

impl Lines {
    pub(super) fn new(stream: UnixStream, patience: Patience) -> Self {
        Self { reader: BufReader::new(stream), patience }
    }

    /// The next line without its end; none at the end of the connection, where
    /// half a line counts as none.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, LineError> {
        let Patience { longest, before, within } = self.patience;
        let mut line = Vec::new();
        let mut begun = None;
        loop {
            let slow = || LineError::TooSlow(begun.map_or(before.unwrap_or(within), |_| within));
            let left = match begun {
                None => before,
                Some(begun) => Some(within.saturating_sub(Instant::now() - begun)),
            };
            if left.is_some_and(|left| left.is_zero()) {
                return Err(slow());
            }
            self.reader.get_ref().set_read_timeout(left)?;
            let bytes = match self.reader.fill_buf() {
                Ok([]) => return Ok(None),
                Ok(bytes) => bytes,
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => continue,
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => return Err(slow()),
                    _ => return Err(error.into()),
                },
            };
            let end = bytes.iter().position(|&byte| byte == b'\n');
            let taken = end.unwrap_or(bytes.len());
            if line.len() + taken > longest {
                return Err(LineError::TooLong(longest));
            }
            line.extend_from_slice(&bytes[..taken]);
            self.reader.consume(taken + usize::from(end.is_some()));
            if end.is_some() {
                return Ok(Some(line));
            }
            begun.get_or_insert_with(Instant::now);
        }
    }
}
