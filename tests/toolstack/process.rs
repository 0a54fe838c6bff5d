//! The program, started as QEMU is.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::common::qmp_peer::Peer;

/// How long a test waits for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Whether tests that need KVM are to be left out. Without this wish a missing
/// `/dev/kvm` fails them.
pub(crate) fn no_kvm() -> bool {
    std::env::var_os("SOUTHBRIDGE_NO_KVM").is_some_and(|value| value == "1")
}

/// The program, to be given arguments.
pub(crate) fn command() -> Command {
    with_program(env!("CARGO_BIN_EXE_southbridge"))
}

/// Another program that starts it.
pub(crate) fn with_program(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR")).env_remove("RUST_LOG");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// A process that is ended with the test.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self { child: command.spawn().expect("the program starts") }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the process is ours");
    }

    /// Waits for the end: exit status, and what was written to standard error.
    pub(crate) fn end(&mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the process is ours") {
                break status;
            }
            assert!(Instant::now() < deadline, "the program does not end");
            thread::sleep(Duration::from_millis(2));
        };
        let mut text = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut text).expect("the program writes UTF-8");
        }
        (status.code(), text)
    }

    /// Connects to a monitor of the program at this path, when it is there, and
    /// negotiates its capabilities.
    pub(crate) fn monitor(&mut self, path: &Path) -> Peer {
        self.wait_for(path);
        Peer::negotiated(path)
    }

    /// Waits until there is a socket at which somebody listens.
    pub(crate) fn wait_for(&mut self, path: &Path) {
        let deadline = Instant::now() + PATIENCE;
        while std::os::unix::net::UnixStream::connect(path).is_err() {
            if let Some(status) = self.child.try_wait().expect("the process is ours") {
                let (_, text) = self.end();
                panic!("it ended with {status}: {text}");
            }
            assert!(Instant::now() < deadline, "there is no {}", path.display());
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A directory for sockets and files of a test.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("there is room for a directory"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A path as text.
    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("the path is text").to_owned()
    }
}
