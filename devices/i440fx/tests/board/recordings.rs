//! Recordings of configuration cycles, reset control, ELCR and memory below
//! 1 MiB.

use std::io::Read as _;

use flate2::read::GzDecoder;
use southbridge_sdk::fake::trace::{Request, Step, Trace};

use crate::machine::Board;

macro_rules! recording {
    ($machine:literal) => {
        include_bytes!(concat!("../../../../tests/data/traces/", $machine, "/pcicfg.trace.gz"))
    };
}

/// Interrupt 0 is the timer's; QEMU lets the ISA bridge pull it low when the
/// routing changes (see the ISA bridge). The others are compared.
const PINS: [u8; 15] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

fn replay(compressed: &[u8]) -> usize {
    let mut text = String::new();
    GzDecoder::new(compressed).read_to_string(&mut text).expect("a recording is gzip and text");
    let mut board = Board::new(false);
    Trace::parse(&text).replay(&PINS, |step| board.perform(step))
}

/// Of some 18,000 steps those to the configuration space of IDE and power
/// management are left out; no recording may lose most of its steps that way.
#[test]
fn the_bridges_answer_as_qemu_7_2_does() {
    assert!(replay(recording!("qemu-7.2/pc-i440fx-3.1")) > 10_000);
    assert!(replay(recording!("qemu-7.2/pc-i440fx-7.2")) > 10_000);
}

#[test]
fn the_bridges_answer_as_qemu_10_0_does() {
    assert!(replay(recording!("qemu-10.0/pc-i440fx-10.0")) > 10_000);
}

/// The recordings' machines have their timer high after a reset, and lose it
/// when the routing changes: the reason why interrupt 0 is not compared.
#[test]
fn qemu_lowers_the_timers_interrupt_with_the_routing() {
    let mut text = String::new();
    let recording = recording!("qemu-7.2/pc-i440fx-7.2");
    GzDecoder::new(&recording[..]).read_to_string(&mut text).expect("gzip and text");
    let steps = Trace::parse(&text).steps;
    let lowered = |step: &&Step<'_>| step.interrupts.len() == 1 && !step.interrupts[0].level;
    let lowering: Vec<_> = steps.iter().filter(lowered).collect();
    assert!(!lowering.is_empty());
    for step in lowering {
        assert!(matches!(step.request, Request::Out { port: 0xcfc..0xd00, .. }), "{step:?}");
    }
}
