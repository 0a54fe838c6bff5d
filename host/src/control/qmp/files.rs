//! Files that clients name.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{OFlags, Timespec};
use rustix::io::Errno;

use super::Error;
use super::fdsets::{Duplicate, Fdsets};

/// Where descriptors that clients sent are found.
const FDSET: &str = "/dev/fdset/";

/// How long whoever is at the other end of a pipe or a socket may do nothing.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a pipe that can be written to has room for (pipe(7), `PIPE_BUF`).
const AT_ONCE: usize = 4096;

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It is read.
    Read,
    /// It is written from its beginning; it is made if it is not there.
    Write,
}

/// An open file.
pub struct Opened(Kind);

enum Kind {
    Plain(File),
    Duplicate(Duplicate),
}

/// Opens a file. The words are QEMU's.
pub(super) fn open(fdsets: &Arc<Fdsets>, name: &str, access: Access) -> Result<Opened, Error> {
    let opened = match name.strip_prefix(FDSET) {
        Some(number) => number
            .parse::<i32>()
            .ok()
            .filter(|number| *number >= 0)
            .ok_or_else(|| io::Error::from(Errno::INVAL))
            .and_then(|id| fdsets.open(id.into(), access).map(Kind::Duplicate)),
        None => plain(name, access).map(Kind::Plain),
    };
    opened.map(Opened).map_err(|error| Error::system(format_args!("Unable to open {name}"), &error))
}

fn plain(name: &str, access: Access) -> io::Result<File> {
    let mut options = OpenOptions::new();
    match access {
        Access::Read => options.read(true),
        Access::Write => options.write(true).create(true).truncate(true).mode(0o660),
    };
    // A named pipe without anybody at its other end makes nobody wait.
    options.custom_flags(OFlags::NONBLOCK.bits() as i32).open(name)
}

impl Opened {
    /// The file.
    #[must_use]
    pub fn file(&self) -> &File {
        match &self.0 {
            Kind::Plain(file) => file,
            Kind::Duplicate(duplicate) => &duplicate.file,
        }
    }

    /// Writes all bytes.
    ///
    /// # Errors
    /// The system refuses, or whoever is at the other end takes nothing for 10
    /// seconds.
    pub fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.file();
        for mut part in bytes.chunks(AT_ONCE) {
            while !part.is_empty() {
                self.wait(PollFlags::OUT)?;
                match file.write(part) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(written) => part = &part[written..],
                    Err(error) if again(&error) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Reads up to the end.
    ///
    /// # Errors
    /// The system refuses, whoever is at the other end sends nothing for 10
    /// seconds, or there are more than `most` bytes.
    pub fn read_all(&self, most: usize) -> io::Result<Vec<u8>> {
        let mut file = self.file();
        let (mut bytes, mut chunk) = (Vec::new(), vec![0; 64 << 10]);
        loop {
            self.wait(PollFlags::IN)?;
            match file.read(&mut chunk) {
                Ok(0) => return Ok(bytes),
                Ok(count) if bytes.len() + count > most => {
                    let what = format!("more than {most} bytes");
                    return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
                }
                Ok(count) => bytes.extend_from_slice(&chunk[..count]),
                Err(error) if again(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn wait(&self, events: PollFlags) -> io::Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let timeout =
                Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
            match poll(&mut [PollFd::new(self.file(), events)], Some(&timeout)) {
                Ok(0) => return Err(Errno::TIMEDOUT.into()),
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn again(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock)
}
