//! Round trips of qtest beside QEMU: one client reads the power management timer
//! of both by their sockets, one read at a time and many at once. They take
//! turns.
//!
//! Without QEMU there is nothing to compare.

mod common {
    pub(crate) mod plan;
    pub(crate) mod spread;
}

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use southbridge::component::Engine;
use southbridge::control::qtest::{Qtest, QtestServer};
use southbridge::library::Library;
use southbridge::vm::RamLayout;

use common::plan::{PM_BASE, PM_TIMER, RAM_SIZE, plan};
use common::spread::Spread;

const QEMU: &str = "qemu-system-x86_64";

const PAIRS: usize = 31;

/// Reads in a turn.
const READS: usize = 4_000;

/// Reads that are on their way at once: one waits for each reply, or as many as
/// fit into a few pages.
const AT_ONCE: [(&str, usize); 2] = [("sequential", 1), ("pipelined", 500)];

/// How long a machine may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let version = Command::new(QEMU).arg("--version").output();
    let Ok(version) = version else {
        println!("{QEMU} is not installed: nothing to compare with");
        return ExitCode::SUCCESS;
    };
    let version = String::from_utf8_lossy(&version.stdout);
    println!("{}", version.lines().next().unwrap_or_default());

    let directory = tempfile::tempdir().expect("there is room for a directory");
    let (ours, theirs) = (directory.path().join("ours"), directory.path().join("theirs"));
    let _server = QtestServer::start(&ours, southbridge()).expect("the socket is free");
    let _qemu = Qemu::start(&theirs);
    let (mut ours, mut theirs) = (connect(&ours), connect(&theirs));
    for client in [&mut ours, &mut theirs] {
        enable_timer(client);
    }

    for (name, at_once) in AT_ONCE {
        let pair = |_| (turn(&mut ours, at_once), turn(&mut theirs, at_once));
        let pairs: Vec<(f64, f64)> = (0..PAIRS).map(pair).collect();
        let head = format!("{name}, {PAIRS} pairs");
        println!("{head:<36}{:>10}{:>10}{:>10}", "min", "median", "max");
        print("Southbridge, reads a second", 0, pairs.iter().map(|(ours, _)| *ours));
        print("QEMU, reads a second", 0, pairs.iter().map(|(_, theirs)| *theirs));
        print("Southbridge to QEMU", 2, pairs.iter().map(|(ours, theirs)| ours / theirs));
    }
    ExitCode::SUCCESS
}

fn print(what: &str, digits: usize, values: impl Iterator<Item = f64>) {
    let spread = Spread::new(values);
    let [low, median, high] = [0.0, 0.5, 1.0].map(|share| spread.at(share));
    println!("{what:<36}{low:>10.digits$}{median:>10.digits$}{high:>10.digits$}");
}

fn southbridge() -> Arc<Qtest> {
    let library = Library::new(Engine::new(None).expect("the compiler knows this processor"));
    let ram =
        RamLayout { size: RAM_SIZE, below_4g_limit: 0xe000_0000, below_4g_split: 0xc000_0000 };
    let qtest = Qtest::build(&plan(&library), &ram, None, &BTreeMap::new(), Arc::new(|_| {}));
    Arc::new(qtest.expect("the machine can be built"))
}

/// A QEMU that ends with this value.
struct Qemu(Child);

impl Qemu {
    fn start(socket: &Path) -> Self {
        let qtest = format!("unix:{},server=on,wait=off", socket.display());
        let child = Command::new(QEMU)
            .args(["-machine", "pc-i440fx-7.2", "-m", "4", "-nodefaults", "-S"])
            .args(["-display", "none", "-qtest-log", "none", "-qtest", &qtest])
            .stdin(Stdio::null())
            .spawn();
        Self(child.expect("it has started before"))
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn connect(socket: &Path) -> UnixStream {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match UnixStream::connect(socket) {
            Ok(stream) => return stream,
            Err(error) => assert!(Instant::now() < deadline, "{}: {error}", socket.display()),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends requests and waits for `replies` lines, which `said` has then.
fn exchange(client: &mut UnixStream, requests: &str, replies: usize, said: &mut Vec<u8>) {
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

/// PMBA, and PMIOSE in PMREGMISC, of the function at 00:01.3.
fn enable_timer(client: &mut UnixStream) {
    for (register, value) in [(0x40, u32::from(PM_BASE) | 1), (0x80, 1)] {
        let address = 0x8000_0b00_u32 | register;
        let requests = format!("outl 0xcf8 {address:#x}\noutl 0xcfc {value:#x}\n");
        let mut said = Vec::new();
        exchange(client, &requests, 2, &mut said);
        assert_eq!(said, b"OK\nOK\n");
    }
}

/// Reads a second.
fn turn(client: &mut UnixStream, at_once: usize) -> f64 {
    let requests = format!("inl {PM_TIMER:#x}\n").repeat(at_once);
    let mut said = Vec::new();
    let start = Instant::now();
    for _ in 0..READS / at_once {
        exchange(client, &requests, at_once, &mut said);
    }
    let time = start.elapsed();
    assert!(said.starts_with(b"OK 0x"), "{}", String::from_utf8_lossy(&said));
    (READS / at_once * at_once) as f64 / time.as_secs_f64()
}
