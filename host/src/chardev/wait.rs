//! Waiting for descriptors until something is over.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;

/// Something that happens once and stays so. Any thread can wait for it beside a
/// descriptor.
pub(super) struct Over {
    event: OwnedFd,
    set: AtomicBool,
}

impl Over {
    pub(super) fn new() -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { event, set: AtomicBool::new(false) })
    }

    pub(super) fn set(&self) {
        self.set.store(true, Ordering::Release);
        // Nobody reads from it: it stays readable for all who wait. The counter
        // is far from its limit, where writing would fail.
        let _ = rustix::io::write(&self.event, &1_u64.to_ne_bytes());
    }

    pub(super) fn is_set(&self) -> bool {
        self.set.load(Ordering::Acquire)
    }

    /// Waits until a descriptor has one of the `wanted` events, or an error or an
    /// end, and says which. None when it is over.
    pub(super) fn wait(&self, fd: impl AsFd, wanted: PollFlags) -> io::Result<Option<PollFlags>> {
        let mut polled = [PollFd::new(&fd, wanted), PollFd::new(&self.event, PollFlags::IN)];
        Self::poll(&mut polled, None)?;
        let found = polled[0].revents();
        Ok((!found.is_empty() && !self.is_set()).then_some(found))
    }

    /// The same for the first of several descriptors, for so long. None when it
    /// is over or the time is.
    pub(super) fn wait_any(
        &self,
        fds: &[impl AsFd],
        wanted: PollFlags,
        limit: Option<Duration>,
    ) -> io::Result<Option<(usize, PollFlags)>> {
        let mut polled: Vec<_> = fds.iter().map(|fd| PollFd::new(fd, wanted)).collect();
        polled.push(PollFd::new(&self.event, PollFlags::IN));
        Self::poll(&mut polled, limit)?;
        let mut found = polled.iter().map(PollFd::revents).take(fds.len()).enumerate();
        let found = found.find(|(_, found)| !found.is_empty());
        Ok(found.filter(|_| !self.is_set()))
    }

    /// Polls again when a signal has come between.
    fn poll(polled: &mut [PollFd<'_>], limit: Option<Duration>) -> io::Result<()> {
        let end = limit.and_then(|limit| Instant::now().checked_add(limit));
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            match poll(polled, left.as_ref()) {
                Err(Errno::INTR) => {}
                polled => return Ok(polled.map(drop)?),
            }
        }
    }

    /// Waits so long. False when it is over.
    pub(super) fn pause(&self, time: Duration) -> bool {
        let none: [&OwnedFd; 0] = [];
        if self.wait_any(&none, PollFlags::empty(), Some(time)).is_err() {
            // No memory for it, for instance. It must not become a busy loop.
            std::thread::sleep(time.min(Duration::from_millis(100)));
        }
        !self.is_set()
    }
}

/// What is the matter with a descriptor now, of an error, an end and what is
/// `wanted`.
pub(super) fn look(fd: impl AsFd, wanted: PollFlags) -> PollFlags {
    let mut polled = [PollFd::new(&fd, wanted)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    match poll(&mut polled, Some(&now)) {
        Ok(_) => polled[0].revents(),
        Err(_) => PollFlags::empty(),
    }
}
