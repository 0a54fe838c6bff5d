//! Conversations with a disk and a CD-ROM drive, recorded from QEMU: random commands
//! with their data by the data register and by the bus master. The recorder waited
//! for each request to end before it went on. Lines that begin with `S` have the
//! section QEMU saves at that moment.

use southbridge_sdk::fake::trace::{Answer, Interrupt, Request, Step, Trace};
use southbridge_sdk::fake::{Bench, Bytes, Effect};
use southbridge_sdk::wit::PropertyValue;

use super::recordings::{Board, PINS, recording, saved, text};
use crate::transfer::BUFFER;

/// The drives of the recordings.
pub(super) fn drives() -> [(&'static str, PropertyValue); 2] {
    let text = |kind: &str| PropertyValue::Text(kind.into());
    [("kind0", text("disk")), ("kind2", text("cdrom"))]
}

/// A disk of 20000 sectors, each with its number in every word of 32 bits.
pub(super) fn disk() -> Vec<u8> {
    (0..20_000_u32).flat_map(|sector| sector.to_le_bytes().repeat(128)).collect()
}

/// A CD of 700 blocks, each full of a number made of its own.
pub(super) fn cd() -> Vec<u8> {
    (0..700_u32)
        .flat_map(|block| block.wrapping_mul(0x9e37_79b1).to_le_bytes().repeat(512))
        .collect()
}

/// The machine of the recordings, of which the media are kept elsewhere while a state
/// is loaded.
fn board() -> Board {
    let mut board = Board { bench: Bench::configured(&drives()), ..Board::default() };
    board.bench.insert_disk(0, disk());
    board.bench.insert_disk(2, cd());
    board.bench.reset();
    board.bench.fake.ram = Bytes { data: vec![0; 16 << 20] };
    board.bench.fake.take();
    board
}

fn follow(board: &mut Board, step: &Step<'_>) -> Answer {
    let mut answer = match step.request {
        Request::Read { address, size } => Answer::value(board.bench.fake.ram.load(address, size)),
        Request::Write { address, size, value } => {
            board.bench.fake.ram.write(address, &value.to_le_bytes()[..usize::from(size)]);
            Answer::done()
        }
        _ => board.follow(step),
    };
    board.bench.end_requests();
    let later = board.bench.fake.take().into_iter().filter_map(|effect| {
        let Effect::Line(line, level) = effect else { return None };
        let (_, pin) = PINS.into_iter().find(|(known, _)| *known == line)?;
        Some(Interrupt { pin, level })
    });
    if let Answer::Did { interrupts, .. } | Answer::Moved(interrupts) = &mut answer {
        interrupts.extend(later);
    }
    answer
}

/// Replays a recording; returns its steps and saves.
fn replay(text: &str) -> (usize, usize) {
    let mut board = board();
    let (mut requests, mut steps, mut saves) = (String::new(), 0, 0);
    for line in text.lines().filter(|line| !line.starts_with('#')).chain(["S"]) {
        if !line.starts_with('S') {
            requests.push_str(line);
            requests.push('\n');
            continue;
        }
        steps += Trace::parse(&std::mem::take(&mut requests))
            .replay(&[14, 15], |step| follow(&mut board, step));
        if line != "S" {
            compare(&saved(&mut board.bench), line, saves);
            saves += 1;
        }
    }
    (steps, saves)
}

/// What a saved state says, without the bytes of the buffers that are not to be moved:
/// QEMU has there what commands before have left, also those whose data goes to memory
/// here without being copied.
fn said(saved: &str) -> String {
    const PIO: &str = "6964655f64726976652f70696f5f737461746500000001";
    let number = |digits: &str| usize::from_str_radix(digits, 16).expect("hexadecimal digits");
    let (mut said, mut rest) = (String::new(), saved);
    while let Some(at) = rest.find(PIO) {
        let (before, after) = rest.split_at(at + PIO.len() + 8);
        let (buffer, after) = after.split_at(2 * BUFFER);
        let (start, length) = (2 * number(&after[..8]), 2 * number(&after[8..16]));
        said.extend([before, &buffer[start..start + length]]);
        rest = after;
    }
    said + rest
}

/// Compares what is saved with a recording's. The whole would be too long to be shown.
fn compare(found: &str, expected: &str, save: usize) {
    let (found, expected) = (&said(found), &said(expected));
    let differs = found.bytes().zip(expected.bytes()).position(|(a, b)| a != b);
    let at = differs.unwrap_or(found.len().min(expected.len()));
    if differs.is_some() || found.len() != expected.len() {
        let part = |text: &str| {
            text.get(at.saturating_sub(40)..(at + 60).min(text.len())).map(str::to_owned)
        };
        panic!("save {save} differs at {at}: {:?}, expected {:?}", part(found), part(expected));
    }
}

#[test]
fn drives_answer_and_save_as_qemus_do() {
    let mut all = (0, 0);
    for recording in [
        &recording!("qemu-7.2/pc-i440fx-7.2/ide-drives-1")[..],
        &recording!("qemu-7.2/pc-i440fx-7.2/ide-drives-2")[..],
    ] {
        let (steps, saves) = replay(&text(recording));
        all = (all.0 + steps, all.1 + saves);
    }
    assert!(all.0 > 11_000 && all.1 > 30, "{all:?}");
}
