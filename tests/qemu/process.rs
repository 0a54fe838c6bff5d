//! QEMU's programs: how they are started, and how they end.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Instant;

use tempfile::TempDir;

use super::machines::is_xen;
use super::wire::{PATIENCE, Wire};

/// A process that ends with its owner, and a directory for what goes in and out.
pub(crate) struct Process {
    child: Child,
    directory: TempDir,
}

impl Process {
    /// Starts QEMU with a machine that stays paused; `arguments` are added.
    ///
    /// It has no system management mode: Southbridge has none, and Xen neither.
    pub(crate) fn start(machine: &str, incoming: Option<&[u8]>, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let file = |name: &str| directory.path().join(name);
        let mut command = if is_xen(machine) { xen(machine) } else { pc(machine) };
        command.args(["-m", "16", "-nodefaults", "-no-user-config", "-display", "none", "-S"]);
        command.args(["-serial", "null"]);
        // Requests of qtest are logged to standard error otherwise.
        command.args(["-qtest-log", "none"]).args(arguments);
        for (option, socket) in [("-qtest", "qtest"), ("-qmp", "monitor")] {
            let socket = format!("unix:{},server=on,wait=off", file(socket).display());
            command.args([option, &socket]);
        }
        if let Some(state) = incoming {
            std::fs::write(file("incoming"), state).expect("the file can be written");
            let source = format!("exec:cat '{}'", file("incoming").display());
            command.args(["-incoming", &source]);
        }
        let errors = std::fs::File::create(file("errors")).expect("the file can be written");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        let child = installed(command.spawn(), &command);
        Self { child, directory }
    }

    /// A file in the process's directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Connects to one of its sockets; none if it ends before it has them.
    pub(crate) fn connect(&mut self, socket: &str) -> Option<Wire> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match Wire::connect(&self.path(socket)) {
                Ok(wire) => return Some(wire),
                Err(_) if self.has_ended() => return None,
                Err(error) if Instant::now() > deadline => self.fail(&format!("{socket}: {error}")),
                Err(_) => pause(),
            }
        }
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("the process is ours").is_some()
    }

    /// Waits for its end: its exit status, none if a signal ended it, and what
    /// it said.
    pub(crate) fn end(&mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + PATIENCE;
        while !self.has_ended() {
            if Instant::now() > deadline {
                self.fail("it does not end");
            }
            pause();
        }
        let status = self.child.wait().expect("the process is ours");
        (status.code(), self.said())
    }

    /// What it has written to standard error.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.path("errors")).expect("the file is ours")
    }

    /// Fails the test, with all that is known.
    pub(crate) fn fail(&self, what: &str) -> ! {
        panic!("QEMU: {what}; it said: {:?}", self.said())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A little time for another process.
pub(crate) fn pause() {
    std::thread::sleep(std::time::Duration::from_millis(2));
}

/// No processor runs, so the slow way of running them will do everywhere.
fn pc(machine: &str) -> Command {
    let mut command = Command::new("qemu-system-x86_64");
    command.args(["-accel", "tcg", "-machine", &format!("{machine},smm=off")]);
    command
}

fn xen(machine: &str) -> Command {
    let mut command = Command::new("/usr/libexec/xen-qemu-system-i386");
    command.env("LD_PRELOAD", xen_stub());
    command.args(["-machine", machine, "-xen-domid", "1", "-xen-attach"]);
    command
}

/// The library that answers for Xen, compiled once in a test program.
fn xen_stub() -> &'static Path {
    static STUB: OnceLock<PathBuf> = OnceLock::new();
    STUB.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/qemu/xen-stub.c");
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let library = directory.join("xen-stub.so");
        // Another test program may be doing the same: it appears as a whole.
        let own = directory.join(format!("xen-stub-{}.so", std::process::id()));
        let mut command = Command::new("gcc");
        command.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(&own).arg(source);
        let Output { status, stderr, .. } = installed(command.output(), &command);
        assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
        std::fs::rename(own, &library).expect("the directory is ours");
        library
    })
}

/// What came of running a program that a package brings.
fn installed<T>(result: std::io::Result<T>, command: &Command) -> T {
    let program = command.get_program().to_string_lossy();
    let package = match &*program {
        "gcc" => "gcc",
        "qemu-system-x86_64" => "qemu-system-x86",
        _ => "qemu-system-xen",
    };
    result.unwrap_or_else(|error| match error.kind() {
        ErrorKind::NotFound => panic!("no program {program}: apt-get install {package}"),
        _ => panic!("{program}: {error}"),
    })
}
