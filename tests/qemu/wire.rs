//! Lines to and from a running QEMU.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long QEMU may take for anything. Reached only if it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to one of QEMU's sockets.
pub(crate) struct Wire(BufReader<UnixStream>);

impl Wire {
    pub(crate) fn connect(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self(BufReader::new(stream)))
    }

    pub(crate) fn send(&mut self, line: &str) -> io::Result<()> {
        // In one piece: QEMU may answer, and end, after any.
        self.0.get_mut().write_all(format!("{line}\n").as_bytes())
    }

    pub(crate) fn receive(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) => Ok(line.trim_end().to_owned()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let seconds = PATIENCE.as_secs();
                let what = format!("no answer for {seconds} seconds");
                Err(io::Error::new(ErrorKind::TimedOut, what))
            }
            Err(error) => Err(error),
        }
    }
}
