//! A conversation recorded from QEMU. Those in which the controllers stand among a PC's
//! other devices are replayed on whole machines.

use std::io::Read as _;

use flate2::read::GzDecoder;
use southbridge_sdk::fake::Bench;
use southbridge_sdk::fake::trace::{Request, Trace};
use southbridge_sdk::wit::PropertyValue;

use crate::I8259;

macro_rules! recording {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/data/traces/", $name, ".trace.gz"))
    };
}

fn text(compressed: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(compressed).read_to_string(&mut text).expect("a recording is gzip and text");
    text
}

/// The input of the board that a request to qtest sets, and its level. QEMU has a
/// device for each controller.
fn input(request: &str) -> Option<(u32, bool)> {
    let words: Vec<_> = request.strip_prefix("set_irq_in ")?.split(' ').collect();
    let &[device, _, input, level] = &words[..] else { return None };
    let first = if device == "/machine/unattached/device[6]" { 0 } else { 8 };
    Some((first + input.parse::<u32>().ok()?, level == "1"))
}

/// A conversation about the controllers alone, with their inputs. The timer has
/// been programmed to raise its interrupt once.
#[test]
fn alone_they_answer_as_qemu_does() {
    let mut bench = Bench::<I8259>::with(&[("ltim", PropertyValue::Flag(false))]);
    let text = text(recording!("qemu-7.2/pc-i440fx-7.2/pic"));
    let compared = Trace::parse(&text).replay(&[], |step| {
        match step.request {
            Request::ClockStep(_) => bench.line(0, true),
            Request::Other(request) => {
                let (line, level) = input(request).expect("nothing else is asked for");
                bench.line(line, level);
            }
            _ => {}
        }
        bench.follow(step, &[])
    });
    assert!(compared > 3_000, "{compared}");
}
