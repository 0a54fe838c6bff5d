//! What a guest that is entered in long mode needs in RAM: page tables and a
//! descriptor table.

use super::place::Place;
use super::{Entry, Mode};
use crate::vm::{Error, Image, PAGE};

const ENTRIES: u64 = 512;
const PRESENT_WRITABLE: u64 = 0b11;
/// In an entry of a page directory: it maps a page of 2 MiB itself.
const LARGE: u64 = 1 << 7;

/// How many page directories map 4 GiB.
const DIRECTORIES: u64 = 4;

/// Puts page tables that map the first 4 GiB at their own addresses, and a
/// descriptor table, into low RAM.
pub(super) fn enter(image: &Image, place: &mut Place<'_>, rip: u64) -> Result<Entry, Error> {
    let gdt: Vec<u8> = Entry::GDT.iter().flat_map(|d| d.to_le_bytes()).collect();
    let gdt = place.put_low(image, "the descriptor table", &gdt)?;
    // The tables refer to each other, so their place comes first.
    let size = (2 + DIRECTORIES) * PAGE;
    let what = "the page tables";
    let page_table = u64::from(place.put_low(image, what, &vec![0; size as usize])?);
    place.write(image, what, page_table, &page_tables(page_table))?;
    let mode = Mode::Long { page_table, gdt: gdt.into() };
    Ok(Entry::new(mode, rip))
}

/// The top table, the page directory pointers, the page directories.
fn page_tables(base: u64) -> Vec<u8> {
    let pointers = base + PAGE;
    let directories = pointers + PAGE;
    let refer = |table: u64| table | PRESENT_WRITABLE;
    let row = |entries: Vec<u64>| {
        let used = entries.len() as u64;
        let empty = ENTRIES - used % ENTRIES;
        entries
            .into_iter()
            .chain((0..empty % ENTRIES).map(|_| 0))
            .flat_map(u64::to_le_bytes)
            .collect::<Vec<u8>>()
    };
    [
        row(vec![refer(pointers)]),
        row((0..DIRECTORIES).map(|i| refer(directories + i * PAGE)).collect()),
        row((0..DIRECTORIES * ENTRIES).map(|i| refer(i << 21 | LARGE)).collect()),
    ]
    .concat()
}
