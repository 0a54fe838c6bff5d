//! The program as a process beside QEMU, with the same command line: how long it takes
//! from its start to the first reply of qtest and to the greeting of QMP, and how much
//! memory it has when nothing happens. They take turns; the machine has no processors.
//!
//! Without QEMU there is nothing to compare.

mod common {
    pub(crate) mod peer;
    pub(crate) mod spread;
}

use std::process::ExitCode;
use std::time::{Duration, Instant};

use common::peer::{Peer, QEMU, exchange, qemu_is_there};
use common::spread::Spread;

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
    compare("first reply of qtest, ms", ours, first_reply);
    compare("greeting of QMP, ms", ours, greeting);
    compare("idle resident memory, MB", ours, resident);
    ExitCode::SUCCESS
}

fn compare(what: &str, ours: &str, measure: impl Fn(&str) -> f64) {
    let pairs: Vec<(f64, f64)> = (0..PAIRS).map(|_| (measure(ours), measure(QEMU))).collect();
    let head = format!("{what}, {PAIRS} pairs");
    println!("{head:<40}{:>10}{:>10}{:>10}", "min", "median", "max");
    print("Southbridge", pairs.iter().map(|(ours, _)| *ours));
    print("QEMU", pairs.iter().map(|(_, theirs)| *theirs));
    print("Southbridge to QEMU", pairs.iter().map(|(ours, theirs)| ours / theirs));
}

fn print(what: &str, values: impl Iterator<Item = f64>) {
    let spread = Spread::new(values);
    let [low, median, high] = [0.0, 0.5, 1.0].map(|share| spread.at(share));
    println!("{what:<40}{low:>10.2}{median:>10.2}{high:>10.2}");
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
