//! Conversations recorded from QEMU, replayed line by line.
//!
//! `serial` traces hold what the `isa` traces say about the ports 0x3f8 to
//! 0x3ff, IRQ 4 and the clock, with the other devices' system resets; QEMU's
//! UART has a null back end there. The `serial-input` trace was recorded with a
//! socket behind the UART, virtual time standing still, and notes what went
//! through the socket (`C`) and the saved section (`S`).

use std::collections::VecDeque;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use flate2::read::GzDecoder;
use southbridge_sdk::fake::{Bench, Effect};
use southbridge_sdk::wit::Scope;

use super::feed;
use crate::{DATA, IRQ, Serial};

struct Replay {
    bench: Bench<Serial>,
    /// Whether the trace shows what is sent.
    socket: bool,
    /// Bytes in the socket that the device has not taken yet.
    waiting: Vec<u8>,
    /// Changes of the interrupt line that the trace has not shown yet.
    changes: VecDeque<bool>,
    /// What the last request returned.
    answer: Option<String>,
}

fn number(text: &str) -> u64 {
    let hex = text.strip_prefix("0x");
    hex.map_or_else(|| text.parse(), |hex| u64::from_str_radix(hex, 16)).expect("a number")
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("hex"));
    digits.map(|pair| u8::from_str_radix(pair, 16).expect("hex")).collect()
}

impl Replay {
    /// Makes a request. A step of the clock without a length goes on to QEMU's
    /// next timer, which may be another device's; only the reply tells.
    fn request(&mut self, words: &[&str], reply: &str) {
        let width = |command: &str| match &command[command.len() - 1..] {
            "b" => 1,
            "w" => 2,
            _ => 4,
        };
        self.answer = match *words {
            ["clock_step", ref step @ ..] => {
                let now = self.bench.fake.now;
                let duration = step.first().map_or(number(reply) - now, |step| number(step));
                self.bench.advance(duration);
                Some(self.bench.fake.now.to_string())
            }
            [command, port] if command.starts_with("in") => {
                let value = self.bench.port_in(number(port) as u16, width(command));
                Some(format!("0x{value:04x}"))
            }
            [command, port, value] if command.starts_with("out") => {
                self.bench.port_out(number(port) as u16, width(command), number(value));
                None
            }
            ["irq_intercept_in", "ioapic"] => None,
            _ => panic!("unknown request {words:?}"),
        };
    }

    /// Lets waiting bytes in and collects what the interrupt line did.
    fn settle(&mut self) {
        let left = feed(&mut self.bench, &self.waiting);
        self.waiting.drain(..self.waiting.len() - left);
        let effects = self.bench.fake.take();
        self.changes.extend(effects.into_iter().filter_map(|effect| match effect {
            Effect::Line(IRQ, level) => Some(level),
            _ => None,
        }));
    }

    /// Takes a line; `reply` is what the next reply returns.
    fn line(&mut self, line: &str, reply: &str) {
        let words: Vec<_> = line.split_whitespace().collect();
        if !matches!(words[..], ["<", ..] | ["C", "out", _]) {
            assert!(self.changes.is_empty(), "interrupt changes {:?}", self.changes);
            let sent = self.bench.fake.streams.remove(&DATA);
            assert!(sent.is_none() || !self.socket, "bytes sent {sent:x?}");
        }
        match words[..] {
            ["#", "argv", ..] => self.socket = line.contains("-serial chardev:"),
            ["#", ..] => {}
            [">", ref request @ ..] => self.request(request, reply),
            ["<", "IRQ", change, "4"] => {
                assert_eq!(self.changes.pop_front(), Some(change == "raise"), "interrupt line");
                return;
            }
            ["<", "OK"] => assert_eq!(self.answer, None),
            ["<", "OK", value] => assert_eq!(self.answer.as_deref(), Some(value)),
            ["Q", "system_reset"] => self.bench.reset(),
            ["C", "in", hex] => self.waiting.extend(bytes(hex)),
            ["C", "out", hex] => {
                let sent = self.bench.fake.streams.remove(&DATA);
                assert_eq!(sent, Some(bytes(hex)), "bytes sent");
            }
            ["S", "serial", "3", hex] => {
                let saved = self.bench.save(Scope::Stream);
                assert_eq!((&*saved[0].name, saved[0].version), ("serial", 3));
                assert_eq!(saved[0].data, bytes(hex), "saved section");
                self.bench = self.bench.successor(&[]);
                self.bench.fake.take();
            }
            _ => panic!("unknown line"),
        }
        self.settle();
    }
}

fn replay(name: &str, least: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/traces");
    let file = std::fs::File::open(folder.join(name)).expect(name);
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).expect(name);
    let bench = Bench::<Serial>::new();
    let (waiting, changes) = (Vec::new(), VecDeque::new());
    let mut replay = Replay { bench, socket: false, waiting, changes, answer: None };
    replay.settle();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines.len() >= least, "{name} has {} lines", lines.len());
    for (index, line) in lines.iter().enumerate() {
        let reply = lines[index..].iter().find_map(|line| line.strip_prefix("< OK "));
        let step = AssertUnwindSafe(|| replay.line(line, reply.unwrap_or_default()));
        if let Err(panic) = catch_unwind(step) {
            let context = lines[index.saturating_sub(12)..=index].join("\n");
            eprintln!("{name}:{}\n{context}\n{:?}", index + 1, replay.bench.device);
            resume_unwind(panic);
        }
    }
}

#[test]
fn qemu_7_2_newest_machine() {
    replay("qemu-7.2/pc-i440fx-7.2/serial.trace.gz", 3000);
}

#[test]
fn qemu_7_2_oldest_machine() {
    replay("qemu-7.2/pc-i440fx-3.1/serial.trace.gz", 3000);
}

#[test]
fn qemu_10_0() {
    replay("qemu-10.0/pc-i440fx-10.0/serial.trace.gz", 3000);
}

#[test]
fn qemu_7_2_with_input() {
    replay("qemu-7.2/pc-i440fx-7.2/serial-input.trace.gz", 6000);
}
