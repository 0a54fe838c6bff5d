//! Scripts that are right, that are wrong and that mean harm; and what is in a
//! machine's memory then.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use vm_memory::{Bytes as _, GuestAddress};

use super::script::{Loaded, Wanted, run};
use super::*;
use crate::vm::testing::{config, no_kvm};
use crate::vm::{Config, Memory, Platform, RamLayout};

const TABLES: &str = "tables";
const POINTER: &str = "pointer";

/// A machine's files, and what was written to them.
#[derive(Default)]
struct Fake {
    files: BTreeMap<&'static str, Vec<u8>>,
    written: RefCell<Vec<(String, u32, Vec<u8>)>>,
}

impl FirmwareFiles for Fake {
    fn read(&self, name: &str, most: u32) -> Option<Vec<u8>> {
        self.files.get(name).filter(|bytes| bytes.len() <= most as usize).cloned()
    }

    fn write(&self, name: &str, offset: u32, bytes: &[u8]) -> bool {
        self.written.borrow_mut().push((name.to_owned(), offset, bytes.to_vec()));
        name == "address"
    }
}

fn fake(files: &[(&'static str, Vec<u8>)]) -> Fake {
    Fake { files: files.iter().cloned().collect(), ..Fake::default() }
}

/// A command: its number, then bytes at offsets.
fn command(number: u32, arguments: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; 128];
    for (at, argument) in [(0, &number.to_le_bytes()[..])].iter().chain(arguments) {
        bytes[*at..*at + argument.len()].copy_from_slice(argument);
    }
    bytes
}

fn allocate(name: &str, alignment: u32, zone: u8) -> Vec<u8> {
    let alignment = alignment.to_le_bytes();
    command(1, &[(4, name.as_bytes()), (60, &alignment), (64, &[zone])])
}

fn add_pointer(holder: &str, target: &str, offset: u32, size: u8) -> Vec<u8> {
    let (holder, target, offset) = (holder.as_bytes(), target.as_bytes(), offset.to_le_bytes());
    command(2, &[(4, holder), (60, target), (116, &offset), (120, &[size])])
}

fn add_checksum(name: &str, at: u32, start: u32, length: u32) -> Vec<u8> {
    let numbers = [at, start, length].map(u32::to_le_bytes).concat();
    command(3, &[(4, name.as_bytes()), (60, &numbers)])
}

fn write_pointer(holder: &str, target: &str, offset: u32, within: u32, size: u8) -> Vec<u8> {
    let (holder, target) = (holder.as_bytes(), target.as_bytes());
    let (offset, within) = (offset.to_le_bytes(), within.to_le_bytes());
    command(4, &[(4, holder), (60, target), (116, &offset), (120, &within), (124, &[size])])
}

/// Tables of 64 bytes, with a pointer to byte 8 at byte 16; a root pointer.
fn files() -> Fake {
    let mut tables = vec![1; 64];
    tables[16..20].copy_from_slice(&8u32.to_le_bytes());
    tables[9] = 0;
    let root = [b"RSD PTR ", &[0; 12][..]].concat();
    fake(&[(TABLES, tables), (POINTER, root)])
}

/// Runs commands with tables at 0x30000 and all else at 0xf0000.
fn run_on(files: &Fake, commands: &[Vec<u8>]) -> Result<Vec<Loaded>, String> {
    let mut allocate = |wanted: Wanted<'_>| match wanted.zone {
        Zone::High => Ok(0x3_0000),
        Zone::Bios => Ok(0xf_0000),
    };
    run(&commands.concat(), files, &mut allocate)
}

fn both() -> [Vec<u8>; 2] {
    [allocate(POINTER, 16, 2), allocate(TABLES, 64, 1)]
}

#[test]
fn a_script_loads_links_and_sums() {
    let (files, [first, second]) = (files(), both());
    let commands = [
        first,
        second,
        add_pointer(TABLES, TABLES, 16, 4),
        command(77, &[]),
        add_checksum(TABLES, 9, 0, 32),
        add_pointer(POINTER, TABLES, 16, 4),
        add_checksum(POINTER, 8, 0, 20),
        write_pointer("address", TABLES, 4, 16, 8),
        vec![0; 256],
    ];
    let loaded = run_on(&files, &commands).expect("it is right");
    let [root, tables] = &loaded[..] else { panic!("{loaded:?}") };
    assert_eq!((&*root.name, root.address), (POINTER, 0xf_0000));
    assert_eq!((&*tables.name, tables.address), (TABLES, 0x3_0000));
    assert_eq!(tables.bytes[16..20], 0x3_0008u32.to_le_bytes());
    assert_eq!(root.bytes[16..20], 0x3_0000u32.to_le_bytes());
    let sum = |bytes: &[u8]| bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    assert_eq!((sum(&tables.bytes[..32]), sum(&root.bytes)), (0, 0));
    assert_eq!(tables.bytes[32..], [1; 32]);
    let written = ("address".to_owned(), 4, 0x3_0010u64.to_le_bytes().to_vec());
    assert_eq!(files.written.into_inner(), [written]);
}

#[test]
fn what_a_script_may_not_do_is_named() {
    let long = [b'x'; 56];
    let bad = |commands: &[Vec<u8>]| {
        run_on(&files(), &[&both()[..], commands].concat()).expect_err("refused")
    };
    for (command, expected) in [
        (allocate(TABLES, 64, 1), "tables has its place already"),
        (allocate("none", 64, 1), "the machine has no file none of at most 2097152 bytes"),
        (allocate("", 64, 1), "expected letters that end in a zero"),
        (command(1, &[(4, &long)]), "expected letters that end in a zero"),
        (allocate("two\nlines", 64, 1), "a file called \"two\\nlines\\x00"),
        (command(1, &[(4, b"\xff\xfe")]), "a file called \"\\xff\\xfe\\x00"),
        (allocate("third", 0, 1), "third at a multiple of 0: expected a power of two"),
        (allocate("third", 48, 1), "third at a multiple of 48: expected a power of two"),
        (allocate("third", 16, 0), "third in zone 0: expected 1 or 2"),
        (allocate("third", 16, 3), "third in zone 3: expected 1 or 2"),
        (add_pointer("none", TABLES, 0, 4), "none has no place yet"),
        (add_pointer(TABLES, "none", 0, 4), "none has no place yet"),
        (add_pointer(TABLES, TABLES, 16, 3), "a pointer of 3 bytes"),
        (add_pointer(TABLES, TABLES, 16, 0), "a pointer of 0 bytes"),
        (add_pointer(TABLES, TABLES, 61, 4), "0x4 bytes at 0x3d of tables, which has 0x40"),
        (add_pointer(TABLES, TABLES, u32::MAX, 8), "0x8 bytes at 0xffffffff of tables"),
        (add_pointer(TABLES, TABLES, 32, 4), "the pointer at 0x20 of tables is 0x1010101, beyond"),
        (add_pointer(TABLES, TABLES, 16, 2), "address 0x30008 does not fit into a pointer of 2"),
        (add_checksum("none", 0, 0, 1), "none has no place yet"),
        (add_checksum(TABLES, 64, 0, 1), "0x1 bytes at 0x40 of tables"),
        (add_checksum(TABLES, 0, 0, 65), "0x41 bytes at 0x0 of tables"),
        (add_checksum(TABLES, 0, u32::MAX, u32::MAX), "0xffffffff bytes at 0xffffffff"),
        (write_pointer("address", TABLES, 0, 64, 8), "offset 0x40 is beyond tables of 0x40"),
        (write_pointer("address", "none", 0, 0, 8), "none has no place yet"),
        (write_pointer("other", TABLES, 1, 0, 8), "the machine takes no 8 bytes at 0x1 of other"),
        (write_pointer("address", TABLES, 0, 0, 2), "does not fit into a pointer of 2"),
    ] {
        let message = bad(&[command]);
        let place = "command 2 at offset 0x100: ";
        assert!(message.starts_with(place) && message.contains(expected), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }
    let message = bad(&[vec![0; 127]]);
    assert_eq!(message, "383 bytes, expected commands of 128 bytes");
}

#[test]
fn what_a_script_has_kept_is_limited() {
    let names: Vec<&'static str> =
        (0..17).map(|number| &*Box::leak(format!("file{number}").into_boxed_str())).collect();
    let files: Vec<_> = names.iter().map(|name| (*name, vec![0])).collect();
    let commands: Vec<_> = names.iter().map(|name| allocate(name, 1, 1)).collect();
    let message = run_on(&fake(&files), &commands).expect_err("refused");
    assert!(message.ends_with("file16 is one file too many: expected at most 16"), "{message}");
    let files = fake(&[("big", vec![0; (2 << 20) + 1])]);
    let message = run_on(&files, &[allocate("big", 1, 1)]).expect_err("refused");
    assert!(message.ends_with("the machine has no file big of at most 2097152 bytes"));
}

proptest! {
    #[test]
    fn damaged_scripts_never_panic(damage in prop::collection::vec((0usize..768, any::<u8>()), 1..24)) {
        let commands = [
            &both()[..],
            &[
                add_pointer(TABLES, TABLES, 16, 4),
                add_checksum(TABLES, 9, 0, 32),
                write_pointer("address", TABLES, 4, 16, 8),
                add_pointer(POINTER, TABLES, 16, 4),
            ],
        ];
        let mut script = commands.concat().concat();
        for (at, byte) in damage {
            script[at] = byte;
        }
        if let Err(message) = run_on(&files(), &[script]) {
            prop_assert!(message.starts_with("command ") && !message.contains('\n'), "{}", message);
        }
    }
}

/// An entry point of version 2.1 and one of version 3.0, with nothing filled in.
fn anchors() -> [Vec<u8>; 2] {
    let mut old = vec![0; 0x1f];
    old[..6].copy_from_slice(b"_SM_\0\x1f");
    old[0x10..0x15].copy_from_slice(b"_DMI_");
    let mut new = vec![0; 0x18];
    new[..7].copy_from_slice(b"_SM3_\0\x18");
    [old, new]
}

#[test]
fn smbios_entry_points_add_up() {
    let sum = |bytes: &[u8]| bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    let [mut old, mut new] = anchors();
    // What a peer left in them does not matter.
    (old[4], old[0x15], new[5]) = (7, 8, 9);
    smbios::point(&mut old, 0xf_5a40).expect("it is right");
    smbios::point(&mut new, 0xf_5a40).expect("it is right");
    assert_eq!((sum(&old), sum(&old[0x10..]), sum(&new)), (0, 0, 0));
    assert_eq!(old[0x18..0x1c], 0xf_5a40u32.to_le_bytes());
    assert_eq!(new[0x10..0x18], 0xf_5a40u64.to_le_bytes());
    for (at, value) in [(5, 0), (5, 0x1e), (5, 0x20), (0, b'x')] {
        let [mut old, _] = anchors();
        old[at] = value;
        smbios::point(&mut old, 0).expect_err("refused");
    }
    for length in 0..0x1f {
        smbios::point(&mut anchors()[0][..length], 0).expect_err("refused");
    }
}

/// A machine's memory of so many MiB.
fn memory(mib: u64) -> std::sync::Arc<Memory> {
    let ram = RamLayout { size: mib << 20, ..config().ram };
    let platform = Platform::new(&Config { ram, ..config() }).expect("KVM makes machines");
    platform.memory().clone()
}

/// Files as QEMU has them: tables of 128 KiB, a script, SMBIOS.
fn whole() -> Fake {
    let mut files = files();
    let tables = files.files.remove(TABLES).expect("it is there");
    let tables = [tables, vec![0; (128 << 10) - 64]].concat();
    let script = [&both()[..], &[add_pointer(POINTER, TABLES, 16, 4)]].concat().concat();
    files.files.extend([
        (TABLES, tables),
        ("etc/table-loader", script),
        ("etc/smbios/smbios-anchor", anchors()[0].clone()),
        ("etc/smbios/smbios-tables", vec![0x55; 300]),
    ]);
    files
}

#[test]
fn all_lies_where_guests_look_and_the_map_spares_it() {
    if no_kvm() {
        return;
    }
    for (mib, address) in [(4, 0x3e_0000), (1, 0x7_f000)] {
        let memory = memory(mib);
        let mut place = Place::new(&memory);
        let left = leave(&whole(), &mut place).expect("there is room");
        assert_eq!(left.root_pointer % 16, 0);
        assert!((0xf_0000..0x10_0000).contains(&left.root_pointer), "{left:x?}");
        let mut root = [0; 20];
        memory.ram().read_slice(&mut root, GuestAddress(left.root_pointer)).expect("RAM");
        let pointer = u32::from_le_bytes([root[16], root[17], root[18], root[19]]);
        assert_eq!((&root[..8], pointer), (&b"RSD PTR "[..], address));
        let mut tables = [0; 20];
        memory.ram().read_slice(&mut tables, GuestAddress(address.into())).expect("RAM");
        assert_eq!(tables[..9], [1; 9]);
        let reserved = u64::from(address)..u64::from(address) + (128 << 10);
        assert_eq!(place.reserved(), std::slice::from_ref(&reserved));
        let map = super::super::memory_map::memory_map(&place);
        let covers = |kind: u32, at: u64| {
            let is_here = |range: &super::super::memory_map::Range| {
                (range.start..range.start + range.length).contains(&at)
            };
            map.iter().filter(|range| is_here(range)).map(|range| range.kind).eq([kind])
        };
        assert!(covers(2, reserved.start) && covers(2, reserved.end - 1), "{map:x?}");
        assert!(covers(1, reserved.start - 1), "{map:x?}");
        let mut bios = vec![0; 0x1_0000];
        memory.ram().read_slice(&mut bios, GuestAddress(0xf_0000)).expect("RAM");
        let entries: Vec<_> = bios.chunks(16).filter(|row| row.starts_with(b"_SM_")).collect();
        assert_eq!(entries.len(), 1);
        // What has its place already stays where it is.
        let more = place.reserve_high("more", 1, 1).expect("there is room");
        assert!(more < reserved.start, "{more:#x}");
    }
}

#[test]
fn a_script_that_wants_too_much_memory_is_refused() {
    if no_kvm() {
        return;
    }
    let memory = memory(1);
    let mut files = whole();
    files.files.insert(TABLES, vec![0; 2 << 20]);
    let error = leave(&files, &mut Place::new(&memory)).expect_err("refused").to_string();
    assert_eq!(
        error,
        "etc/table-loader, which the machine has for firmware: command 1 at offset 0x80: no room \
         for 0x200000 bytes of tables in RAM from 0x100000 to 0x100000"
    );
    files.files.insert(TABLES, vec![0; 64]);
    files.files.insert("etc/table-loader", allocate(TABLES, 1 << 31, 2));
    let error = leave(&files, &mut Place::new(&memory)).expect_err("refused").to_string();
    assert!(error.contains("no room for 0x40 bytes of tables"), "{error}");
}

#[test]
fn without_files_nothing_is_left() {
    if no_kvm() {
        return;
    }
    let memory = memory(1);
    let mut place = Place::new(&memory);
    assert_eq!(leave(&(), &mut place).expect("nothing is wrong"), Left::default());
    assert!(place.reserved().is_empty());
}
