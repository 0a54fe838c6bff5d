use proptest::collection::vec;
use proptest::prelude::*;
use vm_memory::{Bytes, GuestAddress, GuestMemoryMmap};

use super::*;
use crate::backend::{collect, scatter};

/// Two regions with a gap between them and behind them.
fn memory() -> GuestMemoryMmap<()> {
    let ranges = [(GuestAddress(0), 0x3000), (GuestAddress(0x5000), 0x1000)];
    let memory = GuestMemoryMmap::from_ranges(&ranges).unwrap();
    for (start, length) in ranges {
        for address in start.0..start.0 + length as u64 {
            memory.write_obj(value(address), GuestAddress(address)).unwrap();
        }
    }
    memory
}

const fn value(address: u64) -> u8 {
    (address ^ address >> 8) as u8 & 0x7f
}

const fn is_ram(address: u64) -> bool {
    address < 0x3000 || (0x5000 <= address && address < 0x6000)
}

fn addresses(pieces: &[Piece]) -> impl Iterator<Item = u64> {
    pieces.iter().flat_map(|piece| piece.address..piece.address + u64::from(piece.length))
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let piece = (0_u64..0x8000, 0_u32..0x1000);
    vec(piece.prop_map(|(address, length)| Piece { address, length }), 0..12)
}

proptest! {
    #[test]
    fn reads_from_memory_what_is_there_and_ones_elsewhere(pieces in pieces()) {
        let memory = memory();
        let mut ones = vec![0xff; 1000];
        let mut gather = Gather::new(&pieces);
        let (mut found, mut buffers) = (Vec::new(), Vec::new());
        let outside = Buffer::from(&mut ones[..]);
        loop {
            let bytes = gather.next(&memory, Direction::FromMemory, outside, &mut buffers);
            if bytes == 0 {
                break;
            }
            let mut window = vec![0; bytes as usize];
            collect(&mut window, &buffers);
            found.extend(window);
        }
        let byte = |address| if is_ram(address) { value(address) } else { 0xff };
        prop_assert_eq!(found, addresses(&pieces).map(byte).collect::<Vec<_>>());
    }

    #[test]
    fn writes_to_memory_go_where_it_is(pieces in pieces()) {
        let memory = memory();
        let mut dropped = vec![0; 1000];
        let mut gather = Gather::new(&pieces);
        let outside = Buffer::from(&mut dropped[..]);
        let mut buffers = Vec::new();
        gather.next(&memory, Direction::ToMemory, outside, &mut buffers);
        let total = addresses(&pieces).count();
        let data: Vec<u8> = (0..total).map(|index| index as u8 | 0x80).collect();
        scatter(&data, &buffers);
        let mut expected: Vec<u8> = (0..0x6000).map(value).collect();
        for (address, byte) in addresses(&pieces).zip(data) {
            if is_ram(address) {
                expected[address as usize] = byte;
            }
        }
        for (address, expected) in expected.iter().enumerate() {
            if is_ram(address as u64) {
                let found: u8 = memory.read_obj(GuestAddress(address as u64)).unwrap();
                prop_assert_eq!(found, *expected);
            }
        }
    }
}

fn windows(pieces: &[Piece]) -> Vec<(u64, usize)> {
    let memory = memory();
    let mut ones = vec![0xff; OUTSIDE];
    let outside = Buffer::from(&mut ones[..]);
    let mut gather = Gather::new(pieces);
    let mut buffers = Vec::new();
    let mut windows = Vec::new();
    loop {
        let bytes = gather.next(&memory, Direction::FromMemory, outside, &mut buffers);
        if bytes == 0 {
            return windows;
        }
        windows.push((bytes, buffers.len()));
    }
}

#[test]
fn pieces_that_follow_one_another_are_one_buffer() {
    let piece = |address, length| Piece { address, length };
    let chain = [piece(0x800, 0x800), piece(0, 0), piece(0x1000, 0x1000), piece(0x2000, 0x200)];
    assert_eq!(windows(&chain), [(0x1a00, 1)]);
    assert_eq!(windows(&[piece(0x1000, 0x100), piece(0, 0x100)]), [(0x200, 2)]);
    assert_eq!(windows(&[piece(0, 0)]), []);
    assert_eq!(windows(&[piece(u64::MAX - 511, 512), piece(0, 512)]), [(1024, 2)]);
}

#[test]
fn a_window_has_a_limit_in_bytes_and_in_buffers() {
    let huge = [Piece { address: 1 << 32, length: u32::MAX - 511 }];
    let windows_of_huge = windows(&huge);
    assert!(windows_of_huge.iter().all(|(bytes, count)| (*bytes, *count) <= (WINDOW, 64)));
    assert_eq!(windows_of_huge.iter().map(|(bytes, _)| bytes).sum::<u64>(), (1 << 32) - 512);
    let split =
        [Piece { address: 1 << 32, length: (4 << 20) + 512 }, Piece { address: 0, length: 512 }];
    assert_eq!(windows(&split), [(WINDOW, 64), (1024, 2)]);
    let bits: Vec<Piece> =
        (0..10240).map(|index| Piece { address: (index % 2) * 8, length: 1 }).collect();
    assert_eq!(windows(&bits), [(4096, 4096), (4096, 4096), (2048, 2048)]);
    let odd: Vec<Piece> =
        (0..6000).map(|index| Piece { address: (index % 2) * 8, length: 3 }).collect();
    let windows_of_odd = windows(&odd);
    assert!(windows_of_odd.len() > 1);
    assert!(windows_of_odd[..1].iter().all(|(bytes, _)| bytes % SECTOR == 0));
}
