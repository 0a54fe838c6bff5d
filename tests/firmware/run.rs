//! A run of either program, from its start to its end.

use std::fmt;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::common::qmp_peer::Peer;

/// Whether tests that need KVM are to be left out. Without this wish a missing
/// `/dev/kvm` fails them.
pub(crate) fn no_kvm() -> bool {
    std::env::var_os("SOUTHBRIDGE_NO_KVM").is_some_and(|value| value == "1")
}

/// How often a test looks whether something has happened.
const MOMENT: Duration = Duration::from_millis(10);

/// Who runs the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Southbridge,
    Qemu,
}

impl Program {
    fn command(self) -> Command {
        match self {
            Self::Southbridge => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_southbridge"));
                command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR")).env_remove("RUST_LOG");
                command
            }
            Self::Qemu => Command::new("qemu-system-x86_64"),
        }
    }
}

/// How a program is to run: with files in a directory of its own, from which it
/// is started.
pub(crate) struct Run<'a> {
    pub(crate) program: Program,
    pub(crate) arguments: &'a [String],
    pub(crate) files: &'a [(String, Vec<u8>)],
    pub(crate) timeout: Duration,
}

impl Run<'_> {
    pub(crate) fn start(&self) -> Started {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let path = |name: &str| directory.path().join(name);
        for (name, bytes) in self.files {
            fs::write(path(name), bytes).expect("the file can be written");
        }
        let errors = File::create(path("errors")).expect("the file can be written");
        let mut command = self.program.command();
        command.args(self.arguments).current_dir(directory.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let deadline = Instant::now() + self.timeout;
        Started { program: self.program, child, directory, deadline, monitor: None }
    }
}

/// A program that runs. It ends with its owner.
pub(crate) struct Started {
    program: Program,
    child: Child,
    directory: TempDir,
    deadline: Instant,
    monitor: Option<Peer>,
}

impl Started {
    /// Where one of its files is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The bytes of one of its files up to now.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        // It appears when the program gets to it.
        fs::read(self.path(name)).unwrap_or_default()
    }

    /// What is in one of its files up to now.
    pub(crate) fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&self.bytes(name)).into_owned()
    }

    /// Which program it is.
    pub(crate) const fn program(&self) -> Program {
        self.program
    }

    /// Its QMP monitor.
    pub(crate) fn monitor(&mut self) -> &mut Peer {
        let path = self.path("monitor");
        self.monitor.get_or_insert_with(|| Peer::negotiated(&path))
    }

    /// Waits until the guest has sent this to the debug console.
    ///
    /// # Panics
    /// The program ends before, or it takes too long.
    pub(crate) fn wait_for(&mut self, text: &str) {
        self.wait_until(&format!("{text:?}"), |started| started.read("log").contains(text));
    }

    /// Waits until something is so, which is called `what`.
    ///
    /// # Panics
    /// The program ends before, or it takes too long.
    pub(crate) fn wait_until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        while !done(self) {
            let goes_on = self.is_running() && Instant::now() < self.deadline;
            assert!(goes_on, "waited for {what} in vain: {}", self.ended());
            thread::sleep(MOMENT);
        }
    }

    /// Waits for its end, as long as it may take: what came of it then.
    pub(crate) fn end(mut self) -> Ended {
        while self.is_running() && Instant::now() < self.deadline {
            thread::sleep(MOMENT);
        }
        self.ended()
    }

    fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the process is ours").is_none()
    }

    /// What came of it up to now.
    fn ended(&mut self) -> Ended {
        let status = self.child.try_wait().expect("the process is ours");
        Ended {
            program: self.program,
            code: status.and_then(|status| status.code()),
            log: self.read("log"),
            serial: self.read("serial"),
            errors: self.read("errors"),
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came of a run.
pub(crate) struct Ended {
    program: Program,
    /// Its exit status; none if it did not end in time, or by a signal.
    pub(crate) code: Option<i32>,
    /// What was sent to the debug console, the firmware's log first of all.
    pub(crate) log: String,
    /// What was sent to the serial port.
    pub(crate) serial: String,
    /// What it wrote to standard error.
    errors: String,
}

impl Ended {
    /// Checks that the guest sent this to the debug console.
    pub(crate) fn said(&self, text: &str) {
        assert!(self.log.contains(text), "no {text:?}: {self}");
    }

    /// Checks that it did not.
    pub(crate) fn did_not_say(&self, text: &str) {
        assert!(!self.log.contains(text), "{text:?}: {self}");
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { program, code, log, serial, errors } = self;
        write!(f, "{program:?}, status {code:?}\n{errors}---- debug console\n{log}")?;
        write!(f, "\n---- serial port\n{serial}\n----")
    }
}
