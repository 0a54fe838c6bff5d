//! A conversation recorded from QEMU, about the controller alone.

use std::io::Read as _;

use flate2::read::GzDecoder;
use southbridge_sdk::fake::Bench;
use southbridge_sdk::fake::trace::{Answer, Request, Trace};

use crate::IoApic;

const RECORDING: &[u8] =
    include_bytes!("../../../../tests/data/traces/qemu-7.2/pc-i440fx-7.2/ioapic.trace.gz");

/// The input that a request to qtest sets, and its level.
fn input(request: &str) -> Option<(u32, bool)> {
    let words: Vec<_> = request.strip_prefix("set_irq_in ")?.split(' ').collect();
    let &[_, _, input, level] = &words[..] else { return None };
    Some((input.parse().ok()?, level == "1"))
}

#[test]
fn it_answers_as_qemu_does() {
    let mut text = String::new();
    GzDecoder::new(RECORDING).read_to_string(&mut text).expect("a recording is gzip and text");
    let mut bench = Bench::<IoApic>::new();
    let compared = Trace::parse(&text).replay(&[], |step| match step.request {
        Request::Read { address, size } => Answer::value(bench.memory_in(address, size)),
        Request::Write { address, size, value } => {
            bench.memory_out(address, size, value);
            Answer::done()
        }
        Request::Other(request) => {
            let (line, level) = input(request).expect("nothing else is asked for");
            bench.line(line, level);
            Answer::done()
        }
        _ => Answer::Skip,
    });
    assert!(compared > 10_000, "{compared}");
}
