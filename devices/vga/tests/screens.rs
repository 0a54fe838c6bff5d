//! Pictures against those that QEMU 7.2 has of the same modes and memory.

#![allow(missing_docs, reason = "tests have no users")]

mod common;

use common::{Board, data};

/// Replays what led to a picture and compares it.
fn compare(name: &str) {
    compare_on(Board::new(), &format!("screens/{name}"));
}

fn compare_on(mut board: Board, name: &str) {
    board.replay(&format!("{name}.trace.gz"));
    let expected = data(&format!("{name}.ppm.gz"));
    let frame = board.picture();
    let head = format!("P6\n{} {}\n255\n", frame.width, frame.height);
    let body = expected.strip_prefix(head.as_bytes());
    let found = String::from_utf8_lossy(&expected[..16]);
    let body = body.unwrap_or_else(|| panic!("{name}: {head:?}, {found:?} expected"));
    assert_eq!(frame.pixels.len(), body.len());
    let differs = frame.pixels.iter().zip(body).position(|(found, expected)| found != expected);
    if let Some(at) = differs {
        let (pixel, width) = (at / 3, frame.width as usize);
        let colours = |bytes: &[u8]| format!("{:02x?}", &bytes[3 * pixel..][..12]);
        panic!(
            "{name}: pixel {}, row {}: {}, {} expected",
            pixel % width,
            pixel / width,
            colours(&frame.pixels),
            colours(body)
        );
    }
}

#[test]
fn vbe_15_of_qemu_10_0() {
    compare_on(Board::with(&[]), "qemu-10.0/vbe-15");
}

#[test]
fn text() {
    compare("text");
}

#[test]
fn text_8_dots() {
    compare("text-8-dots");
}

#[test]
fn text_40() {
    compare("text-40");
}

#[test]
fn text_50() {
    compare("text-50");
}

#[test]
fn mode_13() {
    compare("mode-13");
}

#[test]
fn mode_12() {
    compare("mode-12");
}

#[test]
fn mode_12_split() {
    compare("mode-12-split");
}

#[test]
fn mode_0d() {
    compare("mode-0d");
}

#[test]
fn mode_04() {
    compare("mode-04");
}

#[test]
fn mode_06() {
    compare("mode-06");
}

#[test]
fn vbe_32() {
    compare("vbe-32");
}

#[test]
fn vbe_24() {
    compare("vbe-24");
}

#[test]
fn vbe_16() {
    compare("vbe-16");
}

#[test]
fn vbe_15() {
    compare("vbe-15");
}

#[test]
fn vbe_8() {
    compare("vbe-8");
}

#[test]
fn vbe_8_wide() {
    compare("vbe-8-wide");
}

#[test]
fn vbe_4() {
    compare("vbe-4");
}

#[test]
fn vbe_32_big() {
    compare("vbe-32-big");
}

#[test]
fn vbe_16_big() {
    compare("vbe-16-big");
}
