//! Commands of the shell's that a stream goes through.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::Cancel;

/// How long a command may take to end when it is asked to by SIGTERM.
const MERCY: Duration = Duration::from_millis(500);

/// A running command, with all the processes it starts. Dropped, it is ended.
pub(super) struct Shell(Option<Child>);

impl Shell {
    /// Starts a command that reads a stream from its standard input.
    pub(super) fn taking(command: &str) -> io::Result<(Self, OwnedFd)> {
        let mut child = shell(command).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        let input = child.stdin.take().map(OwnedFd::from);
        Self::with(child, input)
    }

    /// Starts a command that writes a stream to its standard output.
    pub(super) fn giving(command: &str) -> io::Result<(Self, OwnedFd)> {
        let mut child = shell(command).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().map(OwnedFd::from);
        Self::with(child, output)
    }

    fn with(child: Child, end: Option<OwnedFd>) -> io::Result<(Self, OwnedFd)> {
        let shell = Self(Some(child));
        end.map(|end| (shell, end)).ok_or(io::ErrorKind::BrokenPipe.into())
    }

    /// Waits until the command has ended, and succeeded.
    pub(super) fn end(mut self, cancel: &Cancel, patience: Duration) -> io::Result<()> {
        let Some(child) = &mut self.0 else { return Ok(()) };
        wait(child, Some(cancel), patience).map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => {
                let seconds = patience.as_secs();
                io::Error::other(format!("the command has not ended {seconds} seconds later"))
            }
            _ => error,
        })?;
        let status = child.wait()?;
        self.0 = None;
        match (status.code(), status.signal()) {
            (Some(0), _) => Ok(()),
            (Some(code), _) => {
                Err(io::Error::other(format!("the command ended with exit status {code}")))
            }
            (None, signal) => {
                let signal = signal.unwrap_or_default();
                Err(io::Error::other(format!("the command was ended by signal {signal}")))
            }
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let Some(child) = &mut self.0 else { return };
        if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
            // Whoever is left of the group: as a rule it has ended by itself.
            let _ = kill_process_group(group, Signal::TERM);
            if wait(child, None, MERCY).is_err() {
                let _ = kill_process_group(group, Signal::KILL);
            }
        }
        // So that it does not stay as a zombie.
        let _ = child.wait();
    }
}

/// A group of its own, so that all of a pipeline can be ended.
fn shell(command: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", command]).process_group(0);
    shell
}

/// Waits until a process has ended; its status is still to be asked for.
fn wait(child: &Child, cancel: Option<&Cancel>, patience: Duration) -> io::Result<()> {
    let pid = Pid::from_raw(child.id().cast_signed()).ok_or(io::ErrorKind::InvalidInput)?;
    let ended = pidfd_open(pid, PidfdFlags::empty())?;
    match cancel {
        Some(cancel) => cancel.wait(&ended.as_fd(), PollFlags::IN, Some(patience)),
        None => Cancel::new()?.wait(&ended.as_fd(), PollFlags::IN, Some(patience)),
    }
}
