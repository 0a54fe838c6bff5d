//! A state with a byte that is not as it was saved is refused, or it is legal.

#![allow(missing_docs, reason = "tests have no users")]

use serial::Serial;
use southbridge_sdk::StreamInput;
use southbridge_sdk::fake::{Bench, Structure, Value};
use southbridge_sdk::wit::{Scope, Section};

/// Positions and counts are within the FIFOs, retries within QEMU's, and truth values
/// 0 or 1.
fn legal(_name: &str, structure: &Structure) {
    let within = |path: &[&str], most: u64| match structure.get(path) {
        None => {}
        Some(Value::Unsigned(found)) => assert!(*found <= most, "{path:?} is {found}"),
        Some(Value::Signed(found)) => assert!((0..=most as i64).contains(found), "{path:?}"),
        Some(other) => panic!("{path:?} is {other:?}"),
    };
    for (subsection, fifo) in [("serial/recv_fifo", "recv_fifo"), ("serial/xmit_fifo", "xmit_fifo")]
    {
        within(&["state", subsection, fifo, "head"], 15);
        within(&["state", subsection, fifo, "num"], 16);
    }
    within(&["state", "serial/tsr", "tsr_retry"], 4);
    within(&["state", "serial/thr_ipending", "thr_ipending"], 1);
    within(&["state", "serial/timeout_ipending", "timeout_ipending"], 1);
}

/// What case `full` of the recorded streams has.
const FULL: [u8; 11] = [0, 12, 0, 7, 0xc2, 3, 0x0b, 0x60, 0xb0, 0x5a, 1];

#[test]
fn qemus_state() {
    let sections = [Section { name: "serial".into(), version: 3, data: FULL.to_vec() }];
    let spoilt = Bench::<Serial>::spoil(&[], Scope::Stream, &sections, legal);
    assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
}

#[test]
fn a_character_that_no_line_is_slow_enough_for() {
    let mut sections = Bench::<Serial>::new().save(Scope::Whole);
    // Behind the eleven registers and one of the private ones.
    assert_eq!(sections[0].data[12..20], 1_041_660_u64.to_be_bytes());
    sections[0].data[12] = 0x80;
    let mut bench = Bench::<Serial>::configured(&[]);
    let refusal = bench.load(Scope::Whole, sections).expect_err("refused");
    assert_eq!(refusal.field, "state.char_transmit_time");
}

#[test]
fn with_all_its_parts() {
    let mut bench = Bench::<Serial>::new();
    bench.port_out(0x3fa, 1, 0x41);
    bench.port_out(0x3f9, 1, 0x07);
    b"abcdef".iter().for_each(|byte| bench.call(|serial, cx| serial.receive(cx, 0, *byte)));
    for scope in [Scope::Stream, Scope::Whole] {
        let sections = bench.save(scope);
        assert!(sections[0].data.len() > 40, "a FIFO and its timer");
        let spoilt = Bench::<Serial>::spoil(&[], scope, &sections, legal);
        assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
    }
}
