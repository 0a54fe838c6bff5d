//! Round trips of qtest beside QEMU: one client reads the power management timer
//! of both by their sockets, one read at a time and many at once. They take
//! turns.
//!
//! Without QEMU there is nothing to compare.

mod common {
    pub(crate) mod pairs;
    pub(crate) mod peer;
    pub(crate) mod spread;
}

use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::Instant;

use common::pairs::compare;
use common::peer::{Peer, QEMU, exchange, qemu_is_there};

/// Where the power management function's ports are put.
const PM_BASE: u16 = 0xb000;

/// The timer's port.
const PM_TIMER: u16 = PM_BASE + 8;

const PAIRS: usize = 31;

/// Reads in a turn.
const READS: usize = 4_000;

/// Reads that are on their way at once: one waits for each reply, or as many as
/// fit into a few pages.
const AT_ONCE: [(&str, usize); 2] = [("sequential", 1), ("pipelined", 500)];

fn main() -> ExitCode {
    if !qemu_is_there() {
        return ExitCode::SUCCESS;
    }
    let hosts = [env!("CARGO_BIN_EXE_southbridge"), QEMU].map(Peer::start);
    let [mut ours, mut theirs] = [0, 1].map(|host| hosts[host].connect("qtest"));
    for client in [&mut ours, &mut theirs] {
        enable_timer(client);
    }

    for (name, at_once) in AT_ONCE {
        let what = format!("{name} reads a second");
        compare(&what, PAIRS, || turn(&mut ours, at_once), || turn(&mut theirs, at_once));
    }
    ExitCode::SUCCESS
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
