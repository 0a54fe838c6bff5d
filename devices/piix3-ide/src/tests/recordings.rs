//! Conversations recorded from QEMU: the configuration spaces of the `pcicfg`
//! traces, the ports of the `isa` traces, and an `ide` trace of this device
//! alone, with every command to a channel that nothing is attached to; its
//! lines that begin with `S` have the section QEMU saves at that moment.

use std::io::Read as _;

use flate2::read::GzDecoder;
use southbridge_sdk::fake::Bench;
use southbridge_sdk::fake::trace::{Answer, ConfigurationPorts, Step, Trace};
use southbridge_sdk::wit::Scope;

use super::DEVFN;
use crate::Piix3Ide;

/// The interrupt of each channel's output line.
pub(super) const PINS: [(u32, u8); 2] = [(0, 14), (1, 15)];

macro_rules! recording {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/data/traces/", $name, ".trace.gz"))
    };
}
pub(super) use recording;

pub(super) fn text(compressed: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(compressed).read_to_string(&mut text).expect("a recording is gzip and text");
    text
}

/// The device, and the ports that lead to its configuration space.
#[derive(Default)]
pub(super) struct Board {
    pub(super) bench: Bench<Piix3Ide>,
    pub(super) ports: ConfigurationPorts,
}

impl Board {
    pub(super) fn follow(&mut self, step: &Step<'_>) -> Answer {
        match self.ports.follow(&mut self.bench, DEVFN, step.request) {
            Some(value) => Answer::Did { value, interrupts: Vec::new() },
            None => self.bench.follow(step, &PINS),
        }
    }

    /// Replays a recording; returns how many steps were not other devices'.
    fn replay(&mut self, text: &str) -> usize {
        Trace::parse(text).replay(&[14, 15], |step| self.follow(step))
    }
}

#[test]
fn the_configuration_space_answers_as_qemus_does() {
    for recording in [
        &recording!("qemu-7.2/pc-i440fx-7.2/pcicfg")[..],
        &recording!("qemu-7.2/pc-i440fx-3.1/pcicfg")[..],
        &recording!("qemu-10.0/pc-i440fx-10.0/pcicfg")[..],
    ] {
        assert!(Board::default().replay(&text(recording)) > 10_000);
    }
}

#[test]
fn empty_channels_answer_as_qemus_do() {
    for recording in [
        &recording!("qemu-7.2/pc-i440fx-7.2/isa")[..],
        &recording!("qemu-7.2/pc-i440fx-3.1/isa")[..],
        &recording!("qemu-10.0/pc-i440fx-10.0/isa")[..],
    ] {
        assert!(Board::default().replay(&text(recording)) > 200);
    }
}

/// What the device saves, in the form of the recordings.
pub(super) fn saved(bench: &mut Bench<Piix3Ide>) -> String {
    let section = bench.save(Scope::Stream).remove(0);
    let bytes: String = section.data.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("S {} {} {bytes}", section.name, section.version)
}

/// Another device loads each section, and a successor goes on from there.
#[test]
fn it_saves_what_qemu_saves() {
    let text = text(recording!("qemu-7.2/pc-i440fx-7.2/ide"));
    let mut board = Board::default();
    let (mut requests, mut saves) = (String::new(), 0);
    for line in text.lines() {
        if !line.starts_with("S ") {
            requests.push_str(line);
            requests.push('\n');
            continue;
        }
        board.replay(&std::mem::take(&mut requests));
        assert_eq!(saved(&mut board.bench), line, "save {saves}");
        let mut loaded = Bench::<Piix3Ide>::configured(&[]);
        loaded.load(Scope::Stream, board.bench.save(Scope::Stream)).expect("its own state");
        assert_eq!(saved(&mut loaded), line, "save {saves}, loaded");
        board.bench = board.bench.successor(&[]);
        board.bench.fake.take();
        saves += 1;
    }
    assert!(saves > 300, "{saves}");
}
