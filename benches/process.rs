//! The program as a process beside QEMU, with the same command line: how long it takes
//! from its start to the first reply of qtest and to the greeting of QMP, and how much
//! memory it has when nothing happens. They take turns; the machine has no processors.
//!
//! Without QEMU there is nothing to compare.

mod common {
    pub(crate) mod pairs;
    pub(crate) mod peer;
    pub(crate) mod spread;
}

use std::process::ExitCode;
use std::time::{Duration, Instant};

use common::pairs::compare;
use common::peer::{Peer, QEMU, exchange, qemu_is_there};

const PAIRS: usize = 21;

/// When a process has come to rest.
const REST: Duration = Duration::from_millis(300);

fn main() -> ExitCode {
    if !qemu_is_there() {
        return ExitCode::SUCCESS;
    }
    let ours = env!("CARGO_BIN_EXE_southbridge");
    // Fills the code cache and the page cache.
    for program in [ours, QEMU] {
        first_reply(program);
    }
    let both = |what, measure: fn(&str) -> f64| {
        compare(what, PAIRS, || measure(ours), || measure(QEMU));
    };
    both("first reply of qtest, ms", first_reply);
    both("greeting of QMP, ms", greeting);
    both("idle resident memory, MB", resident);
    ExitCode::SUCCESS
}

fn first_reply(program: &str) -> f64 {
    let start = Instant::now();
    let peer = Peer::start(program);
    let mut client = peer.connect("qtest");
    exchange(&mut client, "endianness\n", 1, &mut Vec::new());
    start.elapsed().as_secs_f64() * 1e3
}

fn greeting(program: &str) -> f64 {
    let start = Instant::now();
    let peer = Peer::start(program);
    let mut client = peer.connect("qmp");
    exchange(&mut client, "", 1, &mut Vec::new());
    start.elapsed().as_secs_f64() * 1e3
}

fn resident(program: &str) -> f64 {
    let peer = Peer::start(program);
    let mut client = peer.connect("qmp");
    exchange(&mut client, "", 1, &mut Vec::new());
    std::thread::sleep(REST);
    peer.resident()
}
