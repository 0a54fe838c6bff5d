//! Standard input and output, files, pipes and pseudo-terminals.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::PollFlags;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::error::Problem;
use super::link::Ends;
use super::wait::look;

/// Whether a character device has standard input and output.
static STDIO: AtomicBool = AtomicBool::new(false);

/// The right to standard input and output, of which there is one.
pub(super) struct Stdio(());

impl Stdio {
    pub(super) fn take() -> Result<(Self, Ends), Problem> {
        if STDIO.swap(true, Ordering::AcqRel) {
            return Err(Problem::StdioInUse);
        }
        let taken = Self(());
        let (input, output) = (another(io::stdin())?, another(io::stdout())?);
        Ok((taken, Ends::Standing { input: Some(input), output: Some(output) }))
    }
}

impl Drop for Stdio {
    fn drop(&mut self) {
        STDIO.store(false, Ordering::Release);
    }
}

pub(super) fn stderr() -> Result<Ends, Problem> {
    Ok(Ends::Standing { input: None, output: Some(another(io::stderr())?) })
}

/// A file for output, and perhaps one for input.
pub(super) fn file(path: &Path, append: bool, input: Option<&Path>) -> Result<Ends, Problem> {
    let mut options = OpenOptions::new();
    if append {
        options.append(true);
    } else {
        options.write(true).truncate(true);
    }
    let output = options.create(true).open(path);
    let output = output.map_err(|reason| Problem::file("write", path, reason))?;
    let input = input.map(|path| {
        // A named pipe need not have a writer yet.
        let mut options = OpenOptions::new();
        let opened = options.read(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(path);
        opened.map(OwnedFd::from).map_err(|reason| Problem::file("read", path, reason))
    });
    Ok(Ends::Standing { input: input.transpose()?, output: Some(output.into()) })
}

fn another(stream: impl AsFd) -> io::Result<OwnedFd> {
    stream.as_fd().try_clone_to_owned()
}

/// Both ends are opened for both directions, so that a pipe does not end when
/// whoever is at its other end does.
pub(super) struct Pipe {
    input: File,
    output: File,
}

impl Pipe {
    /// Opens `PATH.in` and `PATH.out`, or else `PATH`.
    pub(super) fn open(path: &Path) -> Result<Self, Problem> {
        let with = |suffix: &str| {
            let mut path = path.as_os_str().to_owned();
            path.push(suffix);
            PathBuf::from(path)
        };
        if let (Ok(input), Ok(output)) = (pipe(&with(".in")), pipe(&with(".out"))) {
            return Ok(Self { input, output });
        }
        let refused = |reason| Problem::file("open", path, reason);
        let output = pipe(path).map_err(refused)?;
        Ok(Self { input: output.try_clone()?, output })
    }

    pub(super) fn ends(&self) -> io::Result<Ends> {
        let (input, output) = (self.input.try_clone()?.into(), self.output.try_clone()?.into());
        Ok(Ends::Passing { input, output })
    }
}

fn pipe(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits() as i32;
    OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)
}

/// The master of a pseudo-terminal.
pub(super) struct Pty {
    master: OwnedFd,
    /// QEMU's name: where others find the terminal.
    pub(super) name: String,
}

impl Pty {
    pub(super) fn open() -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let terminal = ioctl_tiocgptpeer(&master, flags)?;
        // Nothing that passes is changed or echoed.
        let mut settings = tcgetattr(&terminal)?;
        settings.make_raw();
        tcsetattr(&terminal, OptionalActions::Now, &settings)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        let name = format!("pty:{}", ptsname(&master, Vec::new())?.to_string_lossy());
        Ok(Self { master, name })
    }

    /// The ends while somebody has the terminal open.
    pub(super) fn ends(&self) -> io::Result<Option<Ends>> {
        if look(&self.master, PollFlags::empty()).contains(PollFlags::HUP) {
            return Ok(None);
        }
        let (input, output) = (self.master.try_clone()?, self.master.try_clone()?);
        Ok(Some(Ends::Passing { input, output }))
    }
}
