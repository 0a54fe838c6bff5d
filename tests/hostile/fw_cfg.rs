//! The firmware configuration device: selectors of nothing, and transfers to, from and
//! over places where none should be.

use std::time::{Duration, Instant};

use super::board::Board;
use super::disk::{SECTORS, numbered};
use super::floppy;
use super::machine::{Life, Machine};
use super::pair::Pair;

const SELECTOR: u16 = 0x510;
const DATA: u16 = 0x511;
const ADDRESS_HIGH: u16 = 0x514;
const ADDRESS_LOW: u16 = 0x518;

/// Control field: an error; what is asked for; the upper half is a selector.
const ERROR: u32 = 1;
const READ: u32 = 2;
const SKIP: u32 = 4;
const SELECT: u32 = 8;
const WRITE: u32 = 16;

/// Where structures are, and where they have data moved to.
const STRUCTURE: u64 = 0x5000;
const TARGET: u64 = 0x30_0000;
/// Size of the machines' memory.
const RAM: u64 = 16 << 20;

/// A selector in a control field.
const fn item(selector: u16) -> u32 {
    (selector as u32) << 16 | SELECT
}

const SIGNATURE: u32 = item(0);
const NOTHING: u32 = item(0xffff);

impl Machine {
    /// Gives the address of a structure.
    fn transfer_at(&mut self, address: u64) {
        self.out32(ADDRESS_HIGH, ((address >> 32) as u32).swap_bytes());
        self.out32(ADDRESS_LOW, (address as u32).swap_bytes());
    }

    fn write_structure(&mut self, at: u64, control: u32, length: u32, target: u64) {
        let structure = u128::from(control) << 96 | u128::from(length) << 64 | u128::from(target);
        self.write(at, &structure.to_be_bytes());
    }

    /// What is seen after a transfer, and whether the device still works.
    fn after_transfer(&mut self) -> Vec<String> {
        let places = [(STRUCTURE - 16, 64), (TARGET - 16, 128), (0, 64), (RAM - 64, 64)];
        let mut said: Vec<_> =
            places.into_iter().map(|(address, length)| self.memory(address, length)).collect();
        self.out16(SELECTOR, 0);
        let signature: Vec<u8> = (0..6).map(|_| self.in8(DATA)).collect();
        assert_eq!(signature, *b"QEMU\0\0");
        said.push(format!("{:08x} {:08x}", self.in32(ADDRESS_HIGH), self.in32(ADDRESS_LOW)));
        said.extend(self.probe_disk());
        said
    }
}

#[test]
fn selectors_of_nothing_read_as_zeros() {
    let mut pair = Pair::new();
    let beyond_files = 0x60..0x100;
    let corners = [0x3fff, 0x7fff, 0x8006, 0xbfff, 0xfffe, 0xffff];
    pair.alike("selectors of nothing", |machine| {
        let mut read = Vec::new();
        for selector in beyond_files.clone().chain(corners) {
            machine.out16(SELECTOR, selector);
            read.extend((0..6).map(|_| machine.in8(DATA)));
        }
        assert!(read.iter().all(|byte| *byte == 0));
        // One bit of a selector says nothing.
        machine.out16(SELECTOR, 0x4000);
        assert_eq!(machine.in8(DATA), b'Q');
        machine.after_transfer()
    });
    pair.alike("bytes that are written", |machine| {
        for selector in [0, 1, 0x19, 0x20, 0x3fff, 0x4000, 0x8000, 0xffff] {
            machine.out16(SELECTOR, selector);
            machine.out8(DATA, 0x55);
        }
        machine.after_transfer()
    });
    pair.alike("accesses of all sizes", |machine| {
        let mut said = Vec::new();
        for port in 0x50e..0x520 {
            for request in ["inb", "inw", "inl"] {
                said.push(machine.ask(&format!("{request} {port:#x}")));
            }
            for request in ["outb", "outw"] {
                machine.ask(&format!("{request} {port:#x} 1"));
            }
        }
        machine.out16(SELECTOR, 0);
        said.extend(machine.after_transfer());
        said
    });
}

#[test]
fn transfers_of_any_kind_end_as_in_qemu() {
    let mut pair = Pair::new();
    let nowhere = 2 * RAM;
    for (what, control, length, target) in [
        ("a read beyond the item", SIGNATURE | READ, 0x1_0000, TARGET),
        ("a read of nothing", NOTHING | READ, 64, TARGET),
        ("4 GiB skipped", SIGNATURE | SKIP, u32::MAX, 0),
        ("4 GiB of nothing skipped", NOTHING | SKIP, u32::MAX, 0),
        ("a write", SIGNATURE | WRITE, 4, TARGET),
        ("a write from nowhere", SIGNATURE | WRITE, 4, nowhere),
        ("all bits", SIGNATURE | READ | SKIP | WRITE | ERROR, 4, TARGET),
        ("all bits there are", !0, 4, TARGET),
        ("an error to begin with", SIGNATURE | READ | ERROR, 4, TARGET),
        ("nothing to do", SIGNATURE, 4, TARGET),
        ("no bytes", SIGNATURE | READ, 0, TARGET),
        ("to nowhere", SIGNATURE | READ, 4, nowhere),
        ("half to nowhere", SIGNATURE | READ, 4, RAM - 2),
        ("around the end of 4 GiB", SIGNATURE | READ, 4, (1 << 32) - 2),
        ("around the last address", SIGNATURE | READ, 4, u64::MAX - 1),
        ("over its structure", SIGNATURE | READ, 64, STRUCTURE - 8),
        ("over its control field", SIGNATURE | READ, 4, STRUCTURE),
    ] {
        pair.alike(what, |machine| {
            machine.write(TARGET - 16, &[0x66; 128]);
            machine.write(RAM - 64, &[0x66; 64]);
            machine.write(0, &[0x66; 64]);
            machine.write_structure(STRUCTURE, control, length, target);
            // Twice: the second time with what the first has left.
            machine.transfer_at(STRUCTURE);
            machine.transfer_at(STRUCTURE);
            machine.after_transfer()
        });
    }
}

#[test]
fn structures_in_any_place_end_as_in_qemu() {
    let mut pair = Pair::new();
    let places = [2 * RAM, RAM - 8, RAM - 15, 0xf_0000, 0xfec0_0000, 0xffff_fff8, u64::MAX - 7];
    for place in places {
        pair.alike(&format!("a structure at {place:#x}"), |machine| {
            machine.write(RAM - 64, &[0; 64]);
            // Enough of one to ask for something, where that can be written.
            machine.write_structure(place, SIGNATURE | READ, 4, TARGET);
            machine.transfer_at(place);
            machine.after_transfer()
        });
    }
    pair.alike("half an address", |machine| {
        machine.out32(ADDRESS_HIGH, !0);
        machine.out8(ADDRESS_LOW, 1);
        machine.out16(ADDRESS_LOW + 2, 1);
        machine.after_transfer()
    });
}

/// QEMU takes minutes for these; nobody else is to wait.
#[test]
fn transfers_of_gigabytes_take_no_time() {
    let mut machine = Board::machine(numbered(SECTORS), floppy::numbered(), Default::default());
    machine.enable_bus_master();
    for target in [TARGET, 2 * RAM, u64::MAX - 15] {
        for control in [NOTHING | READ, NOTHING | WRITE, item(0x19) | READ] {
            machine.write_structure(STRUCTURE, control, u32::MAX, target);
            let start = Instant::now();
            machine.transfer_at(STRUCTURE);
            let time = start.elapsed();
            assert!(time < Duration::from_secs(2), "{control:#x} to {target:#x}: {time:?}");
            let control = machine.memory(STRUCTURE, 4);
            assert_eq!(control, "0x00000001", "what does not fit into memory is an error");
            // Nothing of the guest's is there any more.
            machine.write(0, &[0; 64]);
            machine.after_transfer();
        }
    }
    let Life::Board(board) = &machine.life else { panic!("it is in this process") };
    board.check_health("gigabytes");
    board.check_state("gigabytes");
}
