//! Runs the program.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether tests that need KVM are to be left out. Without this wish a missing
/// `/dev/kvm` fails them.
pub(crate) fn no_kvm() -> bool {
    std::env::var_os("SOUTHBRIDGE_NO_KVM").is_some_and(|value| value == "1")
}

/// The program with arguments, and a code cache of the tests' own.
pub(crate) fn command<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_southbridge"));
    command.args(arguments).stdin(Stdio::null());
    command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR")).env_remove("RUST_LOG");
    command
}

/// How a run of the program ended.
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program to its end.
pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Ended {
    let mut command = command(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let stdout = collect(child.stdout.take().expect("it is piped"));
    let stderr = collect(child.stderr.take().expect("it is piped"));
    let status = wait(&mut child);
    let text = |thread: JoinHandle<String>| thread.join().expect("the program writes UTF-8");
    Ended { status, stdout: text(stdout), stderr: text(stderr) }
}

fn collect(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        from.read_to_string(&mut text).expect("the program writes UTF-8");
        text
    })
}

/// Waits for the end of the program, which is killed if it takes too long;
/// returns the exit status.
fn wait(child: &mut Child) -> Option<i32> {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("the process is ours") {
            return status.code();
        }
        if Instant::now() > end {
            child.kill().expect("the process is ours");
            child.wait().expect("the process is ours");
            panic!("the program does not end");
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Runs the program, which must succeed, and returns what it says.
pub(crate) fn succeed<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> String {
    let ended = run(arguments);
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""));
    ended.stdout
}

/// Runs the program, which must fail with status 1 and one line, and returns the
/// line.
pub(crate) fn fail<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> String {
    let Ended { status, stdout, stderr } = run(arguments);
    assert_eq!((status, stdout.as_str()), (Some(1), ""), "{stderr}");
    let line = stderr.strip_prefix("southbridge: error: ").unwrap_or_else(|| panic!("{stderr}"));
    let line = line.strip_suffix('\n').expect("a whole line");
    assert!(!line.contains('\n'), "{stderr}");
    line.into()
}

/// A directory for a test's files.
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory can be made"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file and returns its path as an argument.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), content).expect("the file can be written");
        self.text(name)
    }

    /// A path as an argument.
    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("the directory's name is UTF-8").into()
    }
}

/// The program while it runs.
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    /// Lines of its standard output so far.
    pub(crate) said: Vec<String>,
}

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started");
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        thread::spawn(move || {
            // Nobody listens any more once the test is over.
            stdout.lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
        });
        let stdin = child.stdin.take();
        Self { child, stdin, lines, said: Vec::new() }
    }

    /// Waits until a line of standard output contains `text`.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.said.last().is_some_and(|line| line.contains(text)) {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => self.said.push(line),
                Err(_) => {
                    let stderr = self.stderr();
                    panic!("{text:?} was not said, but {:#?}\n{stderr}", self.said);
                }
            }
        }
    }

    /// Waits until something holds.
    pub(crate) fn wait_until(&mut self, what: &str, holds: impl Fn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds() {
            assert!(Instant::now() < end, "no sign of {what}: {}", self.stderr());
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("it is piped");
        stdin.write_all(bytes).and_then(|()| stdin.flush()).expect("the program reads");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the process is ours");
    }

    /// Waits for the end; returns the status, what was said since the last wait,
    /// and standard error.
    pub(crate) fn end(mut self) -> (Option<i32>, Vec<String>, String) {
        let status = wait(&mut self.child);
        let rest = self.lines.iter().collect();
        (status, rest, self.stderr())
    }

    fn stderr(&mut self) -> String {
        // At its end or not, it says no more than fits into a pipe.
        let _ = self.child.kill();
        let mut text = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut text).expect("the program writes UTF-8");
        }
        text
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
