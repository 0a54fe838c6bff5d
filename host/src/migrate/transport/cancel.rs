//! Ending what a thread waits in.

use std::io::{self, ErrorKind, PipeReader, PipeWriter};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Ends a migration: whatever waits for its peer fails soon. Clones are one.
#[derive(Clone)]
pub struct Cancel(Arc<Inner>);

struct Inner {
    /// Ends when the other end is closed: that can be waited for beside anything.
    watched: PipeReader,
    held: Mutex<Option<PipeWriter>>,
}

/// It was cancelled.
#[derive(Debug, thiserror::Error)]
#[error("cancelled")]
struct Cancelled;

/// Whether an operation failed because it was cancelled.
#[must_use]
pub fn is_cancelled(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Cancelled>())
}

impl Cancel {
    /// Nothing is cancelled yet.
    ///
    /// # Errors
    /// The process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        let (watched, writer) = io::pipe()?;
        Ok(Self(Arc::new(Inner { watched, held: Mutex::new(Some(writer)) })))
    }

    /// Cancels. No effect the second time.
    pub fn cancel(&self) {
        drop(self.0.held.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Whether it was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Fails if it was cancelled.
    pub(super) fn check(&self) -> io::Result<()> {
        if self.is_cancelled() { Err(cancelled()) } else { Ok(()) }
    }

    /// Waits until a descriptor is ready for what `flags` say, or has ended. Fails
    /// with [`ErrorKind::TimedOut`] after `patience`; without one it waits as long as
    /// it takes.
    pub(super) fn wait(
        &self,
        fd: &dyn AsFd,
        flags: PollFlags,
        patience: Option<Duration>,
    ) -> io::Result<()> {
        let deadline = patience.and_then(|patience| Instant::now().checked_add(patience));
        loop {
            let watched = PollFd::new(&self.0.watched, PollFlags::IN);
            let mut fds = [PollFd::from_borrowed_fd(fd.as_fd(), flags), watched];
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let timeout = left.and_then(|left| Timespec::try_from(left).ok());
            match poll(&mut fds, timeout.as_ref()) {
                Ok(_) if !fds[1].revents().is_empty() => return Err(cancelled()),
                Ok(0) => return Err(ErrorKind::TimedOut.into()),
                Ok(_) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn cancelled() -> io::Error {
    io::Error::other(Cancelled)
}
