//! Guest memory handed over while a stream goes by.

use std::collections::BTreeMap;

use proptest::prelude::*;
use vmstate::ram::{self, Block, Memory, MemoryWriter, PAGE_SIZE};
use vmstate::{Configuration, Devices, Framing, Layouts, Live, Problem, Scanner, Stream, Writer};

use crate::data::{golden, named};

const PAGE: u64 = PAGE_SIZE as u64;

/// What was handed over: pages by the number of their block and their offset.
#[derive(Default)]
struct Handed {
    machine: Option<String>,
    blocks: Vec<Block>,
    pages: BTreeMap<(usize, u64), Vec<u8>>,
    /// Refuses a block of this name.
    unwanted: Option<&'static str>,
}

impl Memory for Handed {
    fn blocks(
        &mut self,
        configuration: Option<&Configuration>,
        blocks: &[Block],
    ) -> Result<(), String> {
        assert!(self.blocks.is_empty() && self.pages.is_empty(), "they are said once, and first");
        self.machine = configuration.map(|found| found.machine.clone());
        self.blocks = blocks.to_vec();
        match blocks.iter().find(|block| self.unwanted == Some(&block.name)) {
            Some(block) => Err(format!("{} is not wanted", block.name)),
            None => Ok(()),
        }
    }

    fn bytes(&mut self, block: usize, offset: u64, bytes: &[u8]) -> Result<(), String> {
        let (number, at) = (offset / PAGE, (offset % PAGE) as usize);
        assert!(
            at + bytes.len() <= PAGE_SIZE && offset + bytes.len() as u64 <= self.blocks[block].size
        );
        let page = self.pages.entry((block, number * PAGE)).or_insert_with(|| vec![0; PAGE_SIZE]);
        page[at..at + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn fill(&mut self, block: usize, offset: u64, byte: u8) -> Result<(), String> {
        self.pages.insert((block, offset), vec![byte; PAGE_SIZE]);
        Ok(())
    }
}

/// Hands a stream over in pieces.
fn hand_over(bytes: &[u8], piece: usize) -> Result<(Handed, Stream), vmstate::Error> {
    let (mut handed, mut scanner) = (Handed::default(), Scanner::new());
    for piece in bytes.chunks(piece) {
        scanner.push_into(piece, &mut handed)?;
    }
    Ok((handed, scanner.finish(Layouts::builtin())?))
}

fn refused(bytes: &[u8]) -> Problem {
    hand_over(bytes, 1000).map(|_| ()).unwrap_err().problem
}

fn block(name: &str, size: u64) -> Block {
    Block { name: name.to_owned(), size, address: None }
}

/// A stream of this live part and no devices.
fn stream(live: &[u8], capabilities: &[&str]) -> Vec<u8> {
    let capabilities = capabilities.iter().map(|name| (*name).to_owned()).collect();
    let configuration = Configuration {
        machine: "lab".into(),
        capabilities: Some(capabilities),
        ..Configuration::default()
    };
    let (live, configuration) = (live.to_vec(), Some(configuration));
    let devices = Devices { footers: true, ..Devices::default() };
    Stream { configuration, live: Live::default(), devices }.write(&live)
}

/// A page: which block, which of its pages, and its content in short.
type Page = (usize, u64, [u8; 4]);

fn pages() -> impl Strategy<Value = Vec<Page>> {
    let content = prop_oneof![Just([0; 4]), any::<[u8; 4]>(), Just([7; 4])];
    prop::collection::vec((0..3usize, 0..16u64, content), 0..40)
}

fn content(short: [u8; 4]) -> Vec<u8> {
    short.repeat(PAGE_SIZE / 4)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn pages_that_were_written_are_handed_over(
        pages in pages(),
        footers: bool,
        switchover_start: bool,
        piece in prop_oneof![1..64usize, 1..20_000usize],
        pieces in 1..5usize,
    ) {
        let blocks = vec![block("pc.ram", 16 * PAGE), block("b", 16 * PAGE), block(&"x".repeat(255), 16 * PAGE)];
        let mut writer = MemoryWriter::new(9, Framing { footers, switchover_start }, blocks.clone());
        let mut live = writer.start();
        let mut last = BTreeMap::new();
        for part in pages.chunks(pages.len().div_ceil(pieces).max(1)) {
            for &(block, number, short) in part {
                writer.page(block, number * PAGE, |page| page.copy_from_slice(&content(short)));
                last.insert((block, number * PAGE), content(short));
            }
            prop_assert!(!writer.is_full());
            live.extend_from_slice(writer.piece());
        }
        live.extend(writer.end());
        let zero = pages.iter().filter(|(_, _, short)| *short == [0; 4]).count() as u64;
        prop_assert_eq!((writer.pages(), writer.zero_pages()), (pages.len() as u64 - zero, zero));

        let bytes = stream(&live, &[]);
        let (handed, read) = hand_over(&bytes, piece).unwrap();
        prop_assert_eq!(handed.machine.as_deref(), Some("lab"));
        prop_assert_eq!(&handed.blocks, &blocks);
        prop_assert!(handed.pages == last);
        prop_assert_eq!((read.live.pages, read.live.zero_pages), (writer.pages(), writer.zero_pages()));
        prop_assert_eq!(read.live.commands, if switchover_start { vec![11] } else { vec![] });
        // Passed over it is the same stream.
        prop_assert_eq!(Stream::read(&bytes, Layouts::builtin()).unwrap().live.blocks, blocks);
    }
}

#[test]
fn the_memory_of_recorded_streams() {
    let mut count = 0;
    for golden in golden() {
        let stream = golden.read();
        let (handed, again) = hand_over(&golden.bytes, 4099).unwrap();
        assert_eq!(again, stream, "{}", golden.name);
        assert_eq!(handed.blocks, stream.live.blocks, "{}", golden.name);
        let Some(ram) = handed.blocks.iter().position(|block| block.name == "pc.ram") else {
            continue;
        };
        let of_ram: Vec<_> = handed.pages.iter().filter(|((block, _), _)| *block == ram).collect();
        assert_eq!(of_ram.len() as u64 * PAGE, handed.blocks[ram].size, "{}", golden.name);
        assert!(of_ram.iter().all(|(_, page)| page.iter().all(|byte| *byte == 0)));
        count += 1;
    }
    assert!(count >= 100, "{count} streams with memory");
}

#[test]
fn a_full_piece_says_so_and_loses_nothing() {
    let blocks = vec![block("pc.ram", 1 << 30)];
    let mut writer = MemoryWriter::new(2, Framing::default(), blocks);
    let mut live = writer.start();
    let mut count = 0;
    while !writer.is_full() {
        writer.page(0, count * PAGE, |page| page.fill(count as u8 | 1));
        count += 1;
    }
    assert_eq!(count, 256);
    // All the same.
    for _ in 0..300 {
        writer.page(0, count * PAGE, |page| page.fill(1));
        count += 1;
    }
    writer.page(7, 0, |_| panic!("there is no such block"));
    live.extend_from_slice(writer.piece());
    assert!(writer.piece().is_empty() && !writer.is_full());
    live.extend(writer.end());
    let (handed, _) = hand_over(&stream(&live, &[]), 1 << 20).unwrap();
    assert_eq!(handed.pages.len() as u64, count);
}

/// A live part with one record of memory, as it is given.
fn with_record(record: &[u8]) -> Vec<u8> {
    let writer = MemoryWriter::new(1, Framing::default(), vec![block("a", 2 * PAGE)]);
    [writer.start(), b"\x02\0\0\0\x01".to_vec(), record.to_vec(), writer.end()].concat()
}

#[test]
fn records_that_are_refused() {
    let record = |word: u64, rest: &[u8]| [&word.to_be_bytes(), b"\x01a".as_slice(), rest].concat();
    let end = 0x10u64.to_be_bytes();
    let page = [5; PAGE_SIZE];
    let good = with_record(&[record(PAGE | 8, &page), end.to_vec()].concat());
    assert!(hand_over(&stream(&good, &[]), 77).is_ok());
    for offset in [2 * PAGE, 1 << 40, !0xfff] {
        for (flags, rest) in [(8, page.as_slice()), (2, &[0])] {
            let live = with_record(&record(offset | flags, rest));
            let outside = Problem::Ram("a page outside its block");
            assert_eq!(refused(&stream(&live, &[])), outside);
            // Also if it is passed over.
            let passed = Stream::read(&stream(&live, &[]), Layouts::builtin());
            assert_eq!(passed.unwrap_err().problem, outside);
        }
    }
    // Not at a page's start: that bit is a flag.
    let unaligned = refused(&stream(&with_record(&record(0x808, &page)), &[]));
    assert_eq!(unaligned, Problem::Ram("a record with unknown flags"));
    let twice = [block("a", PAGE), block("a", PAGE)];
    let mut writer = Writer::new();
    writer.bytes(b"\x01\0\0\0\x01\x03ram\0\0\0\0\0\0\0\x04");
    ram::write_blocks(&mut writer, &twice);
    assert_eq!(
        refused(&stream(&writer.into_bytes(), &[])),
        Problem::Ram("a block is listed twice")
    );
}

#[test]
fn pages_that_need_more_than_the_stream() {
    let word = |flags: u64| flags.to_be_bytes();
    let end = word(0x10);
    let xbzrle = [&word(0x40)[..], b"\x01a", &[1, 0, 2, 9, 9], &end].concat();
    let compressed = [&word(0x100)[..], b"\x01a", &[0, 0, 0, 2, 9, 9], &end].concat();
    let flush = [word(0x200), end].concat();
    for (record, name) in [(xbzrle, "xbzrle"), (compressed, "compress"), (flush, "multifd")] {
        let bytes = stream(&with_record(&record), &[]);
        assert_eq!(refused(&bytes), Problem::Encoded(name));
        // Whoever does not want the memory can do with it.
        assert!(Stream::read(&bytes, Layouts::builtin()).is_ok(), "{name}");
    }
    let bytes = stream(&with_record(&end), &["mapped-ram"]);
    assert_eq!(refused(&bytes), Problem::Encoded("mapped-ram"));
}

#[test]
fn memory_that_is_not_taken() {
    let golden = named("qemu-7.2/pc-i440fx-7.2/reset.bin");
    let mut handed = Handed { unwanted: Some("pc.bios"), ..Handed::default() };
    let error = Scanner::new().push_into(&golden.bytes, &mut handed).unwrap_err();
    assert_eq!(
        error.to_string().split_once(": ").unwrap().1,
        "guest memory is refused: pc.bios is not wanted"
    );
    assert!(handed.pages.is_empty());
}
