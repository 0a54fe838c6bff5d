//! A descriptor that is read or written without ever being stuck in it.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::fs::{FileType, OFlags, fcntl_getfl, fcntl_setfl, fstat};
use rustix::io::Errno;

use super::Cancel;
use super::command::Shell;
use crate::migrate::{SILENCE, SILENCE_AT_THE_END, Source};

/// The most that is read of a command's output behind the end of its stream.
const BEHIND: usize = 1 << 20;

/// How long a command may take to end once its input or output is closed.
const END_OF_COMMAND: Duration = Duration::from_secs(60);

/// One end of a migration stream. Reads and writes end when they are cancelled, or
/// have waited too long; so does everything else here.
pub struct Channel {
    /// None once it is closed.
    fd: Option<OwnedFd>,
    /// How it was before it was told not to block, if that is not so by itself: others
    /// may use it, too.
    flags: Option<OFlags>,
    shell: Option<Shell>,
    patience: Duration,
    cancel: Cancel,
}

impl Channel {
    pub(super) fn new(fd: OwnedFd, cancel: Cancel) -> io::Result<Self> {
        let flags = fcntl_getfl(&fd)?;
        let kind = FileType::from_raw_mode(fstat(&fd)?.st_mode);
        // Files and disks are always ready.
        let blocks = !matches!(kind, FileType::RegularFile | FileType::BlockDevice)
            && !flags.contains(OFlags::NONBLOCK);
        if blocks {
            fcntl_setfl(&fd, flags | OFlags::NONBLOCK)?;
        }
        let flags = blocks.then_some(flags);
        Ok(Self { fd: Some(fd), flags, shell: None, patience: SILENCE, cancel })
    }

    pub(super) fn of_shell(fd: OwnedFd, shell: Shell, cancel: Cancel) -> io::Result<Self> {
        let mut channel = Self::new(fd, cancel)?;
        channel.shell = Some(shell);
        Ok(channel)
    }

    /// All has been written: closes the channel and hears what a command says of it.
    ///
    /// # Errors
    /// The command failed, does not end, or it was cancelled.
    pub fn close(&mut self) -> io::Result<()> {
        self.drop_descriptor();
        match self.shell.take() {
            Some(shell) => shell.end(&self.cancel, END_OF_COMMAND),
            None => Ok(()),
        }
    }

    fn drop_descriptor(&mut self) {
        if let (Some(fd), Some(flags)) = (self.fd.take(), self.flags.take()) {
            // It may be somebody else's, too. If it cannot be put back, it stays.
            let _ = fcntl_setfl(&fd, flags);
        }
    }

    /// Does something until it does not have to wait.
    fn ready<R>(
        &mut self,
        flags: PollFlags,
        mut action: impl FnMut(&OwnedFd) -> Result<R, Errno>,
    ) -> io::Result<R> {
        self.cancel.check()?;
        let fd = self.fd.as_ref().ok_or(ErrorKind::NotConnected)?;
        loop {
            match action(fd) {
                Ok(result) => return Ok(result),
                Err(Errno::AGAIN) => self.cancel.wait(fd, flags, Some(self.patience))?,
                Err(Errno::INTR) => self.cancel.check()?,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Read for Channel {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.ready(PollFlags::IN, |fd| rustix::io::read(fd, &mut *buffer))
    }
}

impl Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.ready(PollFlags::OUT, |fd| rustix::io::write(fd, bytes));
        written.map_err(|error| match error.kind() {
            ErrorKind::TimedOut => io::Error::new(
                ErrorKind::TimedOut,
                format!("the receiver has read nothing for {} seconds", self.patience.as_secs()),
            ),
            _ => error,
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Source for Channel {
    fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Hears what a command says of its stream. What it still writes is read, so that
    /// it does not fail for having written too much.
    fn finish(&mut self) -> io::Result<()> {
        if self.shell.is_some() {
            let deadline = Instant::now() + SILENCE_AT_THE_END;
            let (mut buffer, mut behind) = ([0; 4096], 0);
            while behind < BEHIND {
                self.patience = deadline.saturating_duration_since(Instant::now());
                match self.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => behind += count,
                    Err(error) if error.kind() == ErrorKind::TimedOut => break,
                    Err(error) => return Err(error),
                }
            }
        }
        self.close()
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.drop_descriptor();
    }
}
