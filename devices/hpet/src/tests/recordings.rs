//! Conversations recorded from QEMU. Lines that begin with `S` have the section QEMU
//! saves at that moment: name, version, payload.

use std::io::Read as _;

use flate2::read::GzDecoder;
use southbridge_sdk::fake::trace::{Answer, Interrupt, Request, Step, Trace};
use southbridge_sdk::fake::{Bench, Effect};
use southbridge_sdk::wit::{PropertyValue, Scope, Section};

use crate::interrupt::OUTPUTS;
use crate::{BASE, Hpet};

macro_rules! recording {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/data/traces/", $name, ".trace.gz"))
    };
}

fn follow(bench: &mut Bench<Hpet>, step: &Step<'_>) -> Answer {
    let ours = |address: u64| (BASE..BASE + 0x400).contains(&address);
    let answer = match step.request {
        // The host cuts wide accesses.
        Request::Read { address, size: 8 } if ours(address) => {
            if address % 8 != 0 {
                return Answer::Skip;
            }
            let [lower, upper] = [address, address + 4].map(|at| bench.memory_in(at, 4));
            Answer::value(upper << 32 | lower)
        }
        Request::Read { address, size } if ours(address) => {
            Answer::value(bench.memory_in(address, size))
        }
        Request::Write { address, size, value } if ours(address) => {
            bench.memory_out(address, size, value);
            Answer::done()
        }
        _ => {
            let pins: Vec<_> = (1..OUTPUTS).map(|line| (line, line as u8)).collect();
            return match bench.follow(step, &pins) {
                Answer::Did { value, mut interrupts } => {
                    interrupts.sort_by_key(|change| change.pin);
                    Answer::Did { value, interrupts }
                }
                other => other,
            };
        }
    };
    let changes = bench.fake.take().into_iter().filter_map(|effect| match effect {
        Effect::Line(line @ 1..OUTPUTS, level) => Some(Interrupt { pin: line as u8, level }),
        _ => None,
    });
    answer.with_interrupts(changes.collect())
}

fn line(section: Section) -> String {
    let bytes: String = section.data.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("S {} {} {bytes}", section.name, section.version)
}

fn replay_and_save(compressed: &[u8], properties: &[(&str, PropertyValue)]) {
    let mut text = String::new();
    GzDecoder::new(compressed).read_to_string(&mut text).expect("a recording is gzip and text");
    // Interrupt 0 is the interval timer's as well.
    let pins: Vec<u8> = (1..OUTPUTS as u8).collect();
    let mut bench = Bench::<Hpet>::with(properties);
    let (mut saves, mut compared) = (0, 0);
    let mut lines = text.lines().peekable();
    let mut done = 0;
    while lines.peek().is_some() {
        let part: Vec<_> = std::iter::from_fn(|| lines.next_if(|l| !l.starts_with("S "))).collect();
        // Remarks keep the numbers of the lines right.
        let skipped = "# \n".repeat(done);
        let requests = format!("{skipped}{}", part.join("\n"));
        let mut trace = Trace::parse(&requests);
        // Which of two timers expires first at the same time is not for them to say.
        for step in &mut trace.steps {
            step.interrupts.sort_by_key(|change| change.pin);
        }
        compared += trace.replay(&pins, |step| follow(&mut bench, step));
        let expected: Vec<_> =
            std::iter::from_fn(|| lines.next_if(|l| l.starts_with("S "))).collect();
        done += part.len() + expected.len();
        let saved: Vec<_> = bench.save(Scope::Stream).into_iter().map(line).collect();
        assert_eq!(saved, expected, "line {done}");
        bench = bench.successor(properties);
        bench.fake.take();
        saves += 1;
    }
    assert!(saves > 40 && compared > 1000, "{saves} saves, {compared} steps");
}

#[test]
fn it_answers_interrupts_and_saves_as_qemu_does() {
    replay_and_save(recording!("qemu-7.2/pc-i440fx-7.2/hpet"), &[]);
}

#[test]
fn with_messages_it_does_so_too() {
    let properties = [("msi", PropertyValue::Flag(true)), ("timers", PropertyValue::Number(4))];
    replay_and_save(recording!("qemu-7.2/pc-i440fx-7.2/hpet-msi"), &properties);
}
