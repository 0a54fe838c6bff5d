//! Conversations recorded from QEMU.

use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use southbridge_sdk::fake::trace::{Answer, Interrupt, Request, Step, Trace};
use southbridge_sdk::fake::{Bench, Effect};
use southbridge_sdk::wit::Scope;

use super::board::Board;
use super::drives;
use crate::{Fdc, IRQ};

fn recording(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/traces");
    let file = std::fs::File::open(folder.join(format!("{name}.trace.gz"))).expect(name);
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text).expect(name);
    text
}

fn number(text: &str) -> u64 {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).expect(text),
        None => text.parse().expect(text),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(digits: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect(digits);
    (0..digits.len()).step_by(2).map(byte).collect()
}

impl Board {
    /// What a monitor command of the recording does.
    fn command(&mut self, words: &[&str], reply: &str) -> Answer {
        match *words {
            ["system_reset"] => {
                self.bench.reset();
                self.channel.masked = true;
            }
            ["eject", drive] => self.bench.insert(number(drive) as u32, None),
            ["insert", drive, sectors, read_only] => {
                let read_only = read_only != "0";
                self.insert(number(drive) as u32, number(sectors) as u32, read_only);
            }
            ["section"] => {
                let saved = self.bench.save(Scope::Stream).remove(0);
                assert_eq!(hex(&saved.data), reply, "the saved state");
            }
            _ => panic!("{words:?}"),
        }
        Answer::done()
    }

    /// A request to qtest for the guest's memory.
    fn memory(&mut self, words: &[&str], reply: &str) -> Answer {
        match *words {
            ["read", address, size] => {
                let (start, size) = (number(address) as usize, number(size) as usize);
                let found = format!("OK 0x{}", hex(&self.memory[start..start + size]));
                assert_eq!(found, reply, "memory");
            }
            ["write", address, size, data] => {
                let (start, size) = (number(address) as usize, number(size) as usize);
                self.memory[start..start + size].copy_from_slice(&bytes(&data[2..]));
            }
            _ => return Answer::Skip,
        }
        Answer::done()
    }

    fn follow(&mut self, step: &Step<'_>) -> Answer {
        let answer = match step.request {
            Request::Monitor(text) => {
                let words: Vec<_> = text.split(' ').collect();
                self.command(&words, step.reply)
            }
            Request::Other(text) => {
                let words: Vec<_> = text.split(' ').collect();
                self.memory(&words, step.reply)
            }
            Request::Out { port, value, .. } if self.program(port, value as u8) => Answer::Skip,
            // With no pins the changes of all lines would be lost.
            _ => self.bench.follow(step, &[(IRQ, 6)]),
        };
        let mut changes = match &answer {
            Answer::Skip => Vec::new(),
            Answer::Moved(changes) | Answer::Did { interrupts: changes, .. } => changes.clone(),
        };
        self.settle();
        changes.extend(self.bench.fake.take().into_iter().filter_map(|effect| match effect {
            Effect::Line(IRQ, level) => Some(Interrupt { pin: 6, level }),
            _ => None,
        }));
        if changes.is_empty() { answer } else { answer.with_interrupts(changes) }
    }
}

fn replay(name: &str, a: Option<u32>, b: Option<u32>, least: usize) {
    let text = recording(name);
    let mut board = Board::new(a, b);
    board.bench.fake.take();
    let compared = Trace::parse(&text).replay(&[6], |step| board.follow(step));
    assert!(compared > least, "{name}: {compared}");
}

#[test]
fn a_disk_of_1440_k() {
    replay("qemu-7.2/pc-i440fx-7.2/fdc-one", Some(2880), None, 5_000);
}

#[test]
fn two_drives() {
    replay("qemu-7.2/pc-i440fx-7.2/fdc-two", Some(2880), Some(1440), 5_000);
}

#[test]
fn disks_of_1200_k_and_360_k() {
    replay("qemu-7.2/pc-i440fx-7.2/fdc-mixed", Some(2400), Some(720), 5_000);
}

#[test]
fn an_empty_drive_and_a_disk_of_2880_k() {
    replay("qemu-7.2/pc-i440fx-7.2/fdc-empty", Some(0), Some(5760), 5_000);
}

#[test]
fn it_answers_where_the_board_was_recorded() {
    for name in ["7.2/pc-i440fx-7.2", "7.2/pc-i440fx-3.1", "10.0/pc-i440fx-10.0"] {
        let text = recording(&format!("qemu-{name}/isa"));
        let mut bench = Bench::<Fdc>::with(&drives("none", "none"));
        let follow = |step: &Step<'_>| bench.follow(step, &[(IRQ, 6)]);
        assert!(Trace::parse(&text).replay(&[6], follow) > 50);
    }
}
