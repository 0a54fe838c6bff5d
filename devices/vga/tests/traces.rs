//! The device against recorded conversations with QEMU 7.2 and 10.0, in which all
//! registers and the window are set at random.

#![allow(missing_docs, reason = "tests have no users")]

mod common;

use common::{Board, data};
use southbridge_sdk::wit::Scope;

fn replay(name: &str) {
    let compared = Board::new().replay(&format!("{name}.trace.gz"));
    assert!(compared > 5000, "{compared} steps");
}

#[test]
fn ports() {
    replay("ports");
}

#[test]
fn window() {
    replay("window");
}

#[test]
fn dispi() {
    replay("dispi");
}

#[test]
fn everything_at_once() {
    replay("mixed");
}

#[test]
fn as_qemu_10_0() {
    for name in ["window", "dispi", "mixed"] {
        let mut board = Board::with(&[]);
        let compared = board.replay(&format!("qemu-10.0/{name}.trace.gz"));
        assert!(compared > 5000, "{compared} steps");
        let saved = board.bench.save(Scope::Stream).remove(0).data;
        assert!(saved == data(&format!("qemu-10.0/{name}.section.gz")), "{name}");
    }
}
