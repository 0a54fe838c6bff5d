//! `-daemonize`: the process goes on in the background once everything is set up.
//!
//! QEMU forks. A program with threads had better not, so this one starts itself again
//! and waits until that process says on a pipe, which is its standard input, that it
//! is ready.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, anyhow};
use rustix::process::setsid;
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

use crate::cli::Result;

/// How the second process is told apart, after its other arguments.
const MARK: [&str; 2] = ["-southbridge", "daemonized=on"];

/// What the second process says when it is ready.
const READY: &[u8] = b"ready";

/// The second process's way to say that it is ready.
pub(in crate::cli::qemu) struct Daemon(());

impl Daemon {
    /// Starts the second process, and waits until it is ready or has ended. Returns the
    /// exit status for this one.
    pub(in crate::cli::qemu) fn start(argv0: &str, arguments: &[OsString]) -> Result<u8> {
        let (mut ready, end) = io::pipe().context("cannot make a pipe")?;
        let mut command = Command::new("/proc/self/exe");
        command.arg0(argv0).args(arguments).args(MARK).stdin(Stdio::from(end));
        let mut process = command.spawn().context("cannot start in the background")?;
        // The other end of the pipe.
        drop(command);
        let mut said = Vec::new();
        ready.read_to_end(&mut said).context("cannot hear of the process in the background")?;
        if said == READY {
            return Ok(0);
        }
        // It has said why.
        let status = process.wait().context("cannot wait for the process in the background")?;
        Ok(status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .filter(|code| *code != 0)
            .unwrap_or(1))
    }

    /// Becomes the leader of a session: nothing of the terminal's reaches the process
    /// any more.
    pub(in crate::cli::qemu) fn begin() -> Result<Self> {
        setsid().map_err(|error| anyhow!("cannot leave the terminal: {error}"))?;
        Ok(Self(()))
    }

    /// Lets the first process end, and lets go of what was its: its directory, standard
    /// input and output; standard error too, unless the log is there.
    pub(super) fn ready(self, keeps_stderr: bool) -> Result<()> {
        let mut pipe = File::options()
            .write(true)
            .open("/proc/self/fd/0")
            .context("there is nobody to be told that the process is ready")?;
        std::env::set_current_dir("/").context("cannot leave the directory")?;
        let null = File::options().read(true).write(true).open("/dev/null");
        let null = null.context("cannot open /dev/null")?;
        pipe.write_all(READY).context("nobody waits for the process to be ready")?;
        dup2_stdin(&null)?;
        dup2_stdout(&null)?;
        if !keeps_stderr {
            dup2_stderr(&null)?;
        }
        Ok(())
    }
}
