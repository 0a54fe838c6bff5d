//! Save files of `xl`: put together as Xen's documents say, around what QEMU wrote.

use crate::data::named;
use vmstate::xl::{Emulator, MAGIC, Scanner};
use vmstate::{Error, Layouts, Problem, Stream};

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn record(kind: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = [words(&[kind, body.len() as u32]), body.to_vec()].concat();
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

fn emulator(id: u32, state: &[u8]) -> Vec<u8> {
    record(3, &[words(&[id, 0]), state.to_vec()].concat())
}

/// A save file with these records behind libxc's stream.
fn file(records: &[Vec<u8>]) -> Vec<u8> {
    let config = b"{\"a configuration of\": \"an odd length\"}";
    [
        MAGIC.to_vec(),
        words(&[0x0102_0304, 3, 0, config.len() as u32]),
        config.to_vec(),
        b"LibxlFmt\0\0\0\x02\0\0\0\0".to_vec(),
        record(1, &[]),
        [[0xff; 8].as_slice(), b"XENF\0\0\0\x03\0\0\0\0\0\0\0\0"].concat(),
        words(&[2, 12, 4, 17]),
        // Two pages of memory, and what looks like the record looked for.
        record(1, &[emulator(2, b"QEVM"), vec![7; 8192]].concat()),
        record(9, &[1; 13]),
        record(0, &[]),
        records.concat(),
    ]
    .concat()
}

fn scan(bytes: &[u8], size: usize) -> Result<Emulator, Error> {
    let mut scanner = Scanner::new();
    bytes.chunks(size).try_for_each(|piece| scanner.push(piece))?;
    scanner.finish()
}

fn replace(bytes: &[u8], found: &Emulator, state: &[u8]) -> Vec<u8> {
    let (before, after) =
        (&bytes[..found.range.start as usize], &bytes[found.range.end as usize..]);
    [before, &found.write(state).unwrap(), after].concat()
}

#[test]
fn the_state_is_found_and_replaced() {
    let state = &named("xl/qemu7.2-xenfv-4.2.qevm").bytes;
    let other = &named("xl/qemu7.2-xenfv.qevm").bytes;
    let optional = record(0x8000_0001, b"what nobody knows");
    let store = record(2, &words(&[2, 0, 0]));
    let file = |state| file(&[store.clone(), emulator(2, state), optional.clone(), record(0, &[])]);
    let bytes = file(state);
    for size in [1, 13, 4096, bytes.len()] {
        let found = scan(&bytes, size).unwrap();
        assert!(found.state == *state, "in pieces of {size}");
        assert!(bytes[found.state_offset() as usize..].starts_with(state));
        assert!(Stream::read(&found.state, Layouts::builtin()).is_ok());
        assert!(replace(&bytes, &found, state) == bytes);
        assert!(replace(&bytes, &found, other) == file(other));
    }
}

#[test]
fn truncated_at_every_byte() {
    let bytes = file(&[emulator(2, b"state"), record(0, &[])]);
    assert!(scan(&bytes, bytes.len()).is_ok());
    for end in 0..bytes.len() {
        let error = scan(&bytes[..end], 64).unwrap_err();
        assert_eq!(error.offset, end as u64, "{error}");
    }
}

#[test]
fn what_is_no_save_file() {
    let end = record(0, &[]);
    let good = file(&[emulator(2, b"state"), end.clone()]);
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        scan(&bytes, bytes.len()).unwrap_err().to_string()
    };
    let libxl = 48 + 39;
    for (error, reason) in [
        (with(0, b'x'), "at offset 0x0: bad xl save file: it does not start as one does"),
        (with(32, 1), "byte order"),
        (with(36, 1), "Xen 4.5"),
        (with(libxl, b'l'), "libxl's stream does not follow"),
        (with(libxl + 11, 3), "another version than 2"),
        (with(libxl + 15, 1), "big-endian"),
        (with(libxl + 16, 5), "of a kind that save files do not have"),
        (with(libxl + 20, 8), "is not empty"),
        (with(libxl + 24, 0), "libxc's stream does not follow"),
        (with(libxl + 39, 4), "another version than 2 and 3"),
    ] {
        assert!(error.contains(reason), "{error:?} does not say {reason:?}");
    }
    for (records, reason) in [
        (vec![end.clone()], "holds no state of QEMU"),
        (vec![emulator(1, b"state"), end.clone()], "not QEMU"),
        (vec![emulator(2, b"a"), emulator(2, b"b"), end.clone()], "two states"),
        (vec![words(&[3, 0xffff_ffff]), end.clone()], "more than 8388608 bytes"),
        (vec![emulator(2, b""), end.clone()], "record is empty"),
        (vec![emulator(2, b"a"), end.clone(), end], "8 bytes follow the end"),
    ] {
        let bytes = file(&records);
        let error = scan(&bytes, bytes.len()).unwrap_err().to_string();
        assert!(error.contains(reason), "{error:?} does not say {reason:?}");
    }
}

#[test]
fn what_follows_is_counted_however_it_is_cut() {
    let good = file(&[emulator(2, b"state"), record(0, &[])]);
    let bytes = [&good, [7; 100].as_slice()].concat();
    for size in [1, 64, bytes.len()] {
        let error = scan(&bytes, size).unwrap_err();
        let expected = (good.len() as u64, Problem::Trailing(100));
        assert_eq!((error.offset, error.problem), expected, "in pieces of {size}");
    }
}

#[test]
fn a_state_that_is_too_long_is_not_written() {
    let bytes = file(&[emulator(2, b"state"), record(0, &[])]);
    let found = scan(&bytes, bytes.len()).unwrap();
    let error = found.write(&vec![0; (8 << 20) + 1]).unwrap_err();
    assert_eq!(error.problem, Problem::TooLarge(8 << 20));
}
