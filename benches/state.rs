//! Reading a long state, beside a plain copy of it:
//!
//! - `memory`: the scanner on a stream in memory, beside `memcpy`, both in pieces;
//! - `file`: the scanner on a file in the page cache, beside reading it, both in
//!   pieces;
//! - `inspect`, `detect`: the program on that file, from start to end.
//!
//! They take turns, because what else the host does changes from second to second.

mod common {
    pub(crate) mod spread;
}

use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use vmstate::ram::{self, Block, PAGE_SIZE};
use vmstate::{Configuration, Devices, Layouts, Live, Scanner, Stream, Writer};

use common::spread::Spread;

/// The guest's memory in bytes. Every eighth page is zero.
const MEMORY: u64 = 1 << 30;

/// What is read at once, as the program does.
const PIECE: usize = 1 << 20;

/// One more comes first and does not count.
const TURNS: usize = 21;

fn main() {
    let stream = stream();
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let path = directory.path().join("guest.save");
    let written = File::create(&path).and_then(|mut file| file.write_all(&stream));
    written.expect("there is room for the file");

    let [mut copied, mut scanned, mut read, mut scanned_file] = [const { Vec::new() }; 4];
    let [mut inspected, mut detected] = [const { Vec::new() }; 2];
    for _ in 0..=TURNS {
        copied.push(time(|| copy(&stream)));
        scanned.push(time(|| scan(&stream)));
        read.push(time(|| pieces(&path, |piece| _ = black_box(piece))));
        scanned_file.push(time(|| scan_file(&path)));
        inspected.push(time(|| program("inspect", &path)));
        detected.push(time(|| program("detect", &path)));
    }
    let [low, median, high] = ["min", "median", "max"];
    println!("{:<25}{low:>10}{median:>10}{high:>10}", format!("{TURNS} turns, GiB/s"));
    let size = stream.len() as f64 / (1u64 << 30) as f64;
    for (what, times) in [
        ("memory: copied", copied),
        ("memory: scanned", scanned),
        ("file: read", read),
        ("file: read and scanned", scanned_file),
        ("state inspect", inspected),
        ("state detect", detected),
    ] {
        let spread = Spread::new(times.iter().skip(1).map(|seconds| size / seconds));
        let [low, median, high] = [0.0, 0.5, 1.0].map(|share| spread.at(share));
        println!("{what:<25}{low:>10.2}{median:>10.2}{high:>10.2}");
    }
}

/// The seconds something takes.
fn time(what: impl FnOnce()) -> f64 {
    let start = Instant::now();
    what();
    start.elapsed().as_secs_f64()
}

/// A stream of guest memory and no devices.
fn stream() -> Vec<u8> {
    let mut live = Writer::new();
    live.bytes(b"\x01\0\0\0\x01\x03ram\0\0\0\0\0\0\0\x04");
    ram::write_blocks(&mut live, &[Block { name: "pc.ram".into(), size: MEMORY, address: None }]);
    let mut page = [0; PAGE_SIZE];
    for number in 0..MEMORY / PAGE_SIZE as u64 {
        page.fill(0);
        if number % 8 != 0 {
            page[8..16].copy_from_slice(&number.to_be_bytes());
        }
        let block = (number == 0).then_some("pc.ram");
        ram::write_page(&mut live, block, number * PAGE_SIZE as u64, &page);
    }
    ram::write_end(&mut live);
    live.bytes(b"\x7e\0\0\0\x01\x03\0\0\0\x01");
    ram::write_end(&mut live);
    live.bytes(b"\x7e\0\0\0\x01");
    let configuration =
        Some(Configuration { machine: "pc-i440fx-7.2".into(), ..Configuration::default() });
    let devices = Devices { footers: true, ..Devices::default() };
    let stream = Stream { configuration, live: Live::default(), devices };
    stream.write(&live.into_bytes())
}

fn copy(stream: &[u8]) {
    let mut to = vec![0; PIECE];
    for piece in stream.chunks(PIECE) {
        to[..piece.len()].copy_from_slice(piece);
        black_box(&mut to);
    }
}

fn scan(stream: &[u8]) {
    let mut scanner = Scanner::new();
    for piece in stream.chunks(PIECE) {
        scanner.push(piece).expect("it is a stream");
    }
    finish(scanner);
}

fn scan_file(path: &Path) {
    let mut scanner = Scanner::new();
    pieces(path, |piece| _ = scanner.push(piece).expect("it is a stream"));
    finish(scanner);
}

fn finish(scanner: Scanner) {
    let stream = scanner.finish(Layouts::builtin()).expect("it is a stream");
    assert_eq!(stream.live.pages + stream.live.zero_pages, MEMORY / PAGE_SIZE as u64);
}

/// Reads a file piece by piece.
fn pieces(path: &Path, mut take: impl FnMut(&[u8])) {
    let mut file = File::open(path).expect("it was written");
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece).expect("it can be read") {
            0 => break,
            count => take(&piece[..count]),
        }
    }
}

fn program(command: &str, path: &Path) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_southbridge"));
    let status = program.args(["state", command]).arg(path).stdout(Stdio::null()).status();
    assert!(status.expect("the program starts").success());
}
