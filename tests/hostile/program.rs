//! Both programs, started as QEMU is.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tempfile::TempDir;

/// How long a test waits for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Who runs the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Southbridge,
    Qemu,
}

pub(crate) const BOTH: [Program; 2] = [Program::Qemu, Program::Southbridge];

impl Program {
    fn path(self) -> &'static str {
        match self {
            Self::Southbridge => env!("CARGO_BIN_EXE_southbridge"),
            // QEMU's other programs have no qtest in Debian.
            Self::Qemu => "/usr/libexec/xen-qemu-system-i386",
        }
    }
}

/// A directory with the files of a machine, which the programs are started in.
pub(crate) struct Files(TempDir);

impl Files {
    /// With firmware of zeros, which nobody executes.
    pub(crate) fn new() -> Self {
        let files = Self(tempfile::tempdir().expect("there is room for a directory"));
        files.write("bios", &[0; 64 << 10]);
        files
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.path(name), content).expect("the file can be written");
    }

    /// Makes a file of zeros that takes no room.
    pub(crate) fn sparse(&self, name: &str, size: u64) {
        let file = File::create(self.path(name)).expect("the file can be made");
        file.set_len(size).expect("the file can be as large");
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("the file can be read")
    }
}

/// A machine for qtest, with firmware from `bios` and without devices on request.
const MACHINE: [&str; 12] = [
    "-machine",
    "pc-i440fx-7.2",
    "-accel",
    "qtest",
    "-m",
    "16",
    "-nodefaults",
    "-display",
    "none",
    "-qtest-log",
    "none",
    "-no-user-config",
];

/// How a program is started: in a directory, which it does not leave.
pub(crate) struct Start<'a> {
    pub(crate) program: Program,
    pub(crate) files: &'a Files,
    pub(crate) arguments: Vec<String>,
    /// Bytes beyond which no file grows; the signal of that is ignored.
    pub(crate) largest_file: Option<u64>,
    /// A file system of so many bytes is at `full`, which only the program sees.
    pub(crate) small_file_system: Option<u64>,
}

impl<'a> Start<'a> {
    /// A machine for qtest.
    pub(crate) fn new(program: Program, files: &'a Files, arguments: &[&str]) -> Self {
        Self::bare(program, files, &[&MACHINE, arguments].concat())
    }

    /// Whatever the arguments say.
    pub(crate) fn bare(program: Program, files: &'a Files, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { program, files, arguments, largest_file: None, small_file_system: None }
    }

    pub(crate) fn start(self) -> Process {
        let mut script = String::new();
        if let Some(bytes) = self.largest_file {
            // The shell counts in blocks of 512 bytes.
            script += &format!("trap '' XFSZ; ulimit -S -f {}; ", bytes / 512);
        }
        if let Some(bytes) = self.small_file_system {
            script += &format!("mkdir -p full; mount -t tmpfs -o size={bytes} none full; ");
            script += "truncate -s 1M full/disk; head -c 40960 /dev/zero > full/ballast; ";
        }
        let shell = ["sh", "-ec", &(script + "exec \"$0\" \"$@\"")];
        let mut command = if self.small_file_system.is_some() {
            let mut command = Command::new("unshare");
            command.args(["--user", "--map-root-user", "--mount"]).args(shell);
            command
        } else {
            let mut command = Command::new(shell[0]);
            command.args(&shell[1..]);
            command
        };
        let create = |name| File::create(self.files.path(name)).expect("the file can be made");
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let (said, complained) = (format!("said-{number}"), format!("complained-{number}"));
        command.arg(self.program.path()).args(self.arguments);
        command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR")).env_remove("RUST_LOG");
        command.current_dir(self.files.0.path()).stdin(Stdio::null());
        command.stdout(create(&said)).stderr(create(&complained));
        let child = command.spawn().unwrap_or_else(|error| match error.kind() {
            ErrorKind::NotFound => panic!("no {command:?}: apt-get install util-linux"),
            _ => panic!("{command:?}: {error}"),
        });
        let paths = [said, complained].map(|name| self.files.path(&name));
        let [said, complained] = paths;
        Process { child, said, complained }
    }
}

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A process that ends with its owner.
pub(crate) struct Process {
    child: Child,
    said: PathBuf,
    complained: PathBuf,
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("the process is ours").is_some()
    }

    /// Ends it at once: it cannot do anything about that.
    pub(crate) fn kill(&mut self) {
        // One that has ended cannot be killed, and need not be.
        let _ = self.child.kill();
        self.child.wait().expect("the process is ours");
    }

    /// Files may be as large as the file system can have them, from now on.
    pub(crate) fn lift_limit(&self) {
        let unlimited = Rlimit { current: None, maximum: None };
        prlimit(Some(Pid::from_child(&self.child)), Resource::Fsize, unlimited)
            .expect("the process is ours");
    }

    /// Waits for its end: its exit status, and what it wrote to standard output and
    /// standard error.
    pub(crate) fn end(mut self) -> (Option<i32>, String, String) {
        let deadline = Instant::now() + PATIENCE;
        while !self.has_ended() {
            assert!(Instant::now() < deadline, "it does not end: {}", self.complaint());
            std::thread::sleep(Duration::from_millis(2));
        }
        let status = self.child.wait().expect("the process is ours");
        let read = |path: &Path| fs::read_to_string(path).expect("the file is ours");
        (status.code(), read(&self.said), read(&self.complained))
    }

    /// What it wrote to standard error so far.
    pub(crate) fn complaint(&self) -> String {
        fs::read_to_string(&self.complained).expect("the file is ours")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the program says when it refuses to start: one line, and status 1.
#[track_caller]
pub(crate) fn refused(files: &Files, arguments: &[&str]) -> String {
    let start = Start::new(Program::Southbridge, files, arguments);
    let (status, said, complained) = start.start().end();
    assert_eq!((status, said.as_str()), (Some(1), ""), "{arguments:?}: {complained}");
    let line = complained.strip_prefix("southbridge: ").and_then(|line| line.strip_suffix('\n'));
    let line = line.unwrap_or_else(|| panic!("{arguments:?}: {complained:?}"));
    assert!(!line.contains('\n'), "{arguments:?}: {complained}");
    line.to_owned()
}

/// What QEMU says when it refuses to start.
#[track_caller]
pub(crate) fn refused_by_qemu(files: &Files, arguments: &[&str]) -> String {
    let (status, _, complained) = Start::new(Program::Qemu, files, arguments).start().end();
    assert_eq!(status, Some(1), "{arguments:?}: {complained}");
    complained
}
