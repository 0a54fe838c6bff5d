//! A guest that the program or QEMU boots, as a process.

use std::fs;
use std::io::{BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

/// Memory of the guest, in MiB.
const MEMORY: u64 = 64;

/// What both are started with. The debug console is the standard output.
const ARGUMENTS: &str = "-accel kvm -machine pc-i440fx-7.2,smm=off -nodefaults -no-user-config \
    -display none -no-reboot -chardev stdio,id=log,signal=off \
    -device isa-debugcon,iobase=0x402,chardev=log";

/// A process that ends with this value.
pub(crate) struct Booted {
    child: Child,
    log: BufReader<ChildStdout>,
    _directory: TempDir,
}

impl Booted {
    /// Starts a machine with further arguments and with files, which are in the
    /// process's directory.
    pub(crate) fn start(program: &str, arguments: &[&str], files: &[(&str, &[u8])]) -> Self {
        let directory = tempfile::tempdir().expect("there is room for a directory");
        for (name, bytes) in files {
            fs::write(directory.path().join(name), bytes).expect("there is room for the file");
        }
        let mut child = Command::new(program)
            .args(ARGUMENTS.split_ascii_whitespace())
            .args(["-m", &MEMORY.to_string()])
            .args(arguments)
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program is there");
        let log = BufReader::new(child.stdout.take().expect("it is a pipe"));
        Self { child, log, _directory: directory }
    }

    /// Waits until the guest has sent this to the debug console.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let mut said = Vec::new();
        while !said.ends_with(text.as_bytes()) {
            let mut byte = [0];
            let read = self.log.read_exact(&mut byte);
            let said_so_far = String::from_utf8_lossy(&said);
            read.unwrap_or_else(|_| panic!("it ended without {text:?}:\n{said_so_far}"));
            said.push(byte[0]);
        }
    }

    /// Waits until the guest has ended its machine.
    pub(crate) fn end(mut self) {
        let mut rest = Vec::new();
        self.log.read_to_end(&mut rest).expect("it is a pipe");
        let status = self.child.wait().expect("it is a child");
        assert!(status.success(), "{status}\n{}", String::from_utf8_lossy(&rest));
    }

    /// Resident memory in MB without that of the guest: `Rss` of proc_pid_smaps(5). The
    /// guest's memory is the writable mapping of its size, or a little more: the kernel
    /// joins neighbours.
    pub(crate) fn resident(&self) -> f64 {
        let maps = fs::read_to_string(format!("/proc/{}/smaps", self.child.id()));
        let maps = maps.expect("it runs");
        let value = |line: &str, name: &str| -> Option<u64> {
            line.strip_prefix(name)?.trim().strip_suffix(" kB")?.parse().ok()
        };
        let guests = MEMORY << 10..(MEMORY + 1) << 10;
        let (mut all, mut guest, mut size, mut writable) = (0, None, 0, false);
        for line in maps.lines() {
            if let Some(found) = value(line, "Size:") {
                size = found;
            } else if let Some(resident) = value(line, "Rss:") {
                all += resident;
                if writable && guests.contains(&size) {
                    assert_eq!(
                        guest.replace(resident),
                        None,
                        "several mappings may be the guest's"
                    );
                }
            } else if line.split(' ').nth(1).is_some_and(|flags| flags.len() == 4) {
                writable = line.contains(" rw");
            }
        }
        let guest = guest.expect("no mapping has the size of the guest's memory");
        (all - guest) as f64 * 1024.0 / 1e6
    }
}

impl Drop for Booted {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
