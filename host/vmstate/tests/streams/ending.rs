//! Where a stream ends, found before the data does.

use vmstate::{Layouts, Scanner};

use crate::data::{Golden, golden, named};

/// Hands a stream over in pieces until it is seen to have ended: after how many
/// bytes, and the scanner.
fn until_the_end(bytes: &[u8], piece: usize) -> Option<(usize, Scanner)> {
    let mut scanner = Scanner::new();
    let mut count = 0;
    for piece in bytes.chunks(piece) {
        scanner.push(piece).unwrap();
        count += piece.len();
        if scanner.has_ended() {
            return Some((count, scanner));
        }
    }
    None
}

fn has_description(golden: &&Golden) -> bool {
    golden.read().devices.description.is_some()
}

#[test]
fn a_description_ends_a_stream() {
    for golden in golden().iter().filter(has_description).step_by(7) {
        for piece in [701, 4096, 1 << 20] {
            let (count, scanner) = until_the_end(&golden.bytes, piece).unwrap();
            assert_eq!(count, golden.bytes.len(), "{}", golden.name);
            assert_eq!(scanner.finish(Layouts::builtin()), Ok(golden.read()), "{}", golden.name);
        }
    }
}

#[test]
fn what_comes_behind_it_is_dropped() {
    let golden = named("qemu-7.2/pc-i440fx-7.2/reset.bin");
    let longer = [golden.bytes.as_slice(), b"and more {\0\x06\0\0\0\x03{}x"].concat();
    let (_, scanner) = until_the_end(&longer, longer.len()).unwrap();
    assert_eq!(scanner.finish(Layouts::builtin()), Ok(golden.read()));
}

#[test]
fn what_looks_like_an_end_is_none() {
    let golden = named("qemu-7.2/pc-i440fx-7.2/reset.bin");
    let stream = golden.read();
    let live = &golden.bytes[stream.live.range.start as usize..stream.live.range.end as usize];
    let mut spoilt = stream.clone();
    let mouse = spoilt.devices.sections.iter_mut().find(|section| section.name == "vmmouse");
    // A description inside the state of a device, and many of which each is one.
    let text = b"\0\x06\0\0\0\x0e{\"devices\":[]}".repeat(50);
    mouse.unwrap().payload[..text.len()].copy_from_slice(&text);
    let bytes = spoilt.write(live);
    let whole = Scanner::new();
    let mut scanner = whole;
    for piece in bytes.chunks(1) {
        scanner.push(piece).unwrap();
        assert!(!scanner.has_ended());
    }
    // Too often, then: the end of the data tells.
    let read = scanner.finish(Layouts::builtin()).unwrap();
    assert_eq!(read.devices.description, stream.devices.description);
}

#[test]
fn without_a_description_it_may_have_ended() {
    for name in ["xl/qemu7.2-xenfv-4.2-smbus.qevm", "qemu-7.2/pc-i440fx-7.2/poked.xsds"] {
        let golden = named(name);
        assert!(until_the_end(&golden.bytes, 1000).is_none(), "{name}");
        let mut scanner = Scanner::new();
        let (most, last) = golden.bytes.split_at(golden.bytes.len() - 1);
        scanner.push(most).unwrap();
        assert!(!scanner.may_have_ended(Layouts::builtin()), "{name}");
        scanner.push(last).unwrap();
        assert!(scanner.may_have_ended(Layouts::builtin()), "{name}");
    }
}
