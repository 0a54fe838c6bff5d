//! The program and QEMU as processes, started with the same command line.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// QEMU without an accelerator of its own: it has the one for tests.
pub(crate) const QEMU: &str = "/usr/libexec/xen-qemu-system-i386";

/// How long a machine may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process that ends with this value.
pub(crate) struct Peer {
    child: Child,
    directory: TempDir,
}

impl Peer {
    /// Starts a machine without processors, with a monitor and a way for test clients.
    pub(crate) fn start(program: &str) -> Self {
        let directory = tempfile::tempdir().expect("there is room for a directory");
        let socket =
            |name| format!("unix:{},server=on,wait=off", directory.path().join(name).display());
        let child = Command::new(program)
            .args(["-machine", "pc-i440fx-7.2", "-accel", "qtest", "-m", "16", "-nodefaults"])
            .args(["-display", "none", "-qtest-log", "none"])
            .args(["-qtest", &socket("qtest"), "-qmp", &socket("qmp")])
            .stdin(Stdio::null())
            .spawn();
        Self { child: child.expect("it has started before"), directory }
    }

    /// Connects to one of the two as soon as that is possible.
    pub(crate) fn connect(&self, name: &str) -> UnixStream {
        connect(&self.directory.path().join(name))
    }

    /// Resident memory in MB: `VmRSS` of proc_pid_status(5).
    #[allow(dead_code, reason = "each bench uses a part")]
    pub(crate) fn resident(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        kib.expect("the kernel says it") * 1024.0 / 1e6
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn connect(socket: &Path) -> UnixStream {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match UnixStream::connect(socket) {
            Ok(stream) => return stream,
            Err(error) => assert!(Instant::now() < deadline, "{}: {error}", socket.display()),
        }
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Sends requests and waits for `replies` lines, which `said` has then.
pub(crate) fn exchange(
    client: &mut UnixStream,
    requests: &str,
    replies: usize,
    said: &mut Vec<u8>,
) {
    client.write_all(requests.as_bytes()).expect("the machine receives");
    said.clear();
    let mut lines = 0;
    let mut buffer = [0; 16 << 10];
    while lines < replies {
        let count = client.read(&mut buffer).expect("the machine answers");
        assert_ne!(count, 0, "the connection ends");
        lines += buffer[..count].iter().filter(|byte| **byte == b'\n').count();
        said.extend_from_slice(&buffer[..count]);
    }
}

/// Whether QEMU is there; says its version.
pub(crate) fn qemu_is_there() -> bool {
    match Command::new(QEMU).arg("--version").output() {
        Ok(version) => {
            let version = String::from_utf8_lossy(&version.stdout);
            println!("{}", version.lines().next().unwrap_or_default());
            true
        }
        Err(_) => {
            println!("{QEMU} is not installed: nothing to compare with");
            false
        }
    }
}
