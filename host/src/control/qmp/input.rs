//! What a client sends.

use std::io::Read;

use rustix::fd::OwnedFd;

use crate::chardev::Reader;

/// What a client sends.
pub trait Input: Read {
    /// The descriptors that came with what was read last (`SCM_RIGHTS` of unix(7)).
    fn take_fds(&mut self) -> Vec<OwnedFd>;
}

impl Input for Reader {
    fn take_fds(&mut self) -> Vec<OwnedFd> {
        Self::take_fds(self)
    }
}
