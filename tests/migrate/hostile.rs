//! Streams of whole machines that are refused, and peers that do not behave.

use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

use southbridge::migrate::{Fault, Progress, Reason, RunStateName, SILENCE_AT_THE_END, Source};
use southbridge::migrate::{NotArrived, load, save};
use vmstate::ram::{Block, MemoryWriter, PAGE_SIZE};
use vmstate::{Configuration, Devices, Framing, Layouts, Live, Stream};

use super::whole::{MIB, Whole};

const NAME: &str = "pc-i440fx-7.2";

fn whole() -> Whole {
    Whole::new(NAME, 0)
}

/// Loads what is refused, and checks that the devices are as they were.
fn refused(whole: &Whole, bytes: &[u8]) -> NotArrived {
    let before = whole.machine.save_stream().unwrap();
    let refused = whole.load(bytes).expect_err("it is refused");
    assert_eq!(whole.machine.save_stream().unwrap(), before);
    assert!(whole.blocks.kept().is_empty());
    let text = refused.to_string();
    assert!(!text.contains('\n'), "{text}");
    refused
}

pub(crate) fn fault(whole: &Whole, bytes: &[u8]) -> Fault {
    match refused(whole, bytes).reason {
        Reason::Unfit(mut problems) if problems.len() == 1 => problems.remove(0).fault,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn block(name: &str, size: u64) -> Block {
    Block { name: name.to_owned(), size, address: None }
}

/// A stream of a machine's memory, with pages of these blocks by number and offset, and
/// no devices.
pub(crate) fn memory(machine: Option<&str>, blocks: &[Block], pages: &[(usize, u64)]) -> Vec<u8> {
    let framing = Framing { footers: true, switchover_start: false };
    let mut writer = MemoryWriter::new(9, framing, blocks.to_vec());
    let mut live = writer.start();
    for &(block, offset) in pages {
        writer.page(block, offset, |page| page.fill(7));
        live.extend_from_slice(writer.piece());
    }
    live.extend(writer.end());
    let named =
        |machine: &str| Configuration { machine: machine.into(), ..Configuration::default() };
    let configuration = machine.map(named);
    let devices = Devices { footers: true, ..Devices::default() };
    Stream { configuration, live: Live::default(), devices }.write(&live)
}

#[test]
fn another_machine_is_refused_before_its_memory_is_read() {
    for (machine, text) in [
        (Some("pc-i440fx-7.1"), "the state is of machine pc-i440fx-7.1, this machine is"),
        (None, "there is no configuration section"),
    ] {
        let whole = whole();
        let bytes = memory(machine, &[block("pc.ram", 3 * MIB)], &[(0, 0)]);
        let refused = refused(&whole, &bytes);
        assert!(refused.to_string().contains(text), "{refused}");
        assert!(!refused.memory_is_spoilt);
        assert_eq!(whole.read::<4>(0), [0; 4]);
    }
}

#[test]
fn blocks_of_other_sizes_are_refused() {
    let whole = whole();
    for (name, found, expected) in
        [("pc.ram", 4 << 30, 3 * MIB), ("pc.ram", MIB, 3 * MIB), ("pc.bios", MIB, 64 << 10)]
    {
        let bytes = memory(Some(NAME), &[block(name, found)], &[(0, 0)]);
        let fault = fault(&whole, &bytes);
        let wanted = Fault::BlockSize { block: name.into(), found, expected };
        assert_eq!(fault, wanted);
        let text = fault.to_string();
        assert!(text.contains(&format!("{found:#x}")) && text.contains(&format!("{expected:#x}")));
    }
}

#[test]
fn blocks_of_others_are_kept_up_to_a_limit() {
    let whole = whole();
    for size in [1_u64 << 40, (1 << 30) + 4096, 4096 + 512] {
        // The sum is a whole number of pages.
        let rest = block("rest", size.next_multiple_of(4096) + 4096 - size);
        let bytes = memory(Some(NAME), &[block("vga.vram", size), rest], &[]);
        assert!(matches!(fault(&whole, &bytes), Fault::Foreign { .. }), "{size:#x}");
    }
    // Each is small enough.
    let many: Vec<_> = (0..5).map(|number| block(&format!("vram{number}"), 256 << 20)).collect();
    let bytes = memory(Some(NAME), &many, &[]);
    assert!(matches!(fault(&whole, &bytes), Fault::Foreign { block, .. } if block == "vram4"));
    assert_eq!(whole.blocks.kept(), []);
}

#[test]
fn memory_that_is_not_in_the_stream_is_refused() {
    let bytes = memory(Some(NAME), &[Block { address: Some(0), ..block("pc.ram", 3 * MIB) }], &[]);
    let mut stream = Stream::read(&memory(Some(NAME), &[], &[]), Layouts::builtin()).unwrap();
    let head = stream.head().len();
    stream.configuration.as_mut().unwrap().capabilities = Some(vec!["x-ignore-shared".into()]);
    let bytes = [&stream.head(), &bytes[head..]].concat();
    assert_eq!(fault(&whole(), &bytes), Fault::SharedMemory);
}

#[test]
fn a_page_outside_its_block_is_refused() {
    let whole = whole();
    for offset in [3 * MIB, u64::MAX - 0xfff] {
        let blocks = [block("pc.ram", 3 * MIB)];
        let bytes = memory(Some(NAME), &blocks, &[(0, 0), (0, offset)]);
        let refused = refused(&whole, &bytes);
        assert!(refused.to_string().contains("a page outside its block"), "{refused}");
        // What was good of it has arrived.
        assert!(refused.memory_is_spoilt);
        assert_eq!(whole.read::<2>(0), [7; 2]);
    }
}

#[test]
fn a_stream_that_ends_early_is_refused() {
    let here = whole();
    here.use_it();
    let bytes = here.save(RunStateName::PAUSED);
    let devices = bytes.len() - here.machine.save_stream().unwrap().devices.write().len();
    let there = whole();
    let near = [0, 1, 7, 8, 20, 26, 60, 100, devices - 1, devices, devices + 1];
    let description = bytes.windows(2).rposition(|pair| pair == [0, 6]).unwrap();
    let far = (0..description).step_by(bytes.len() / 40);
    for end in near.into_iter().chain(far) {
        let refused = refused(&there, &bytes[..end]);
        let reason = refused.to_string();
        assert!(matches!(refused.reason, Reason::Stream(_)), "{end}: {reason}");
    }
    // Without its description it is whole: QEMU, too, does without.
    there.load(&bytes[..=description]).unwrap();
    assert!(there.content() == here.content());
}

#[test]
fn devices_that_do_not_fit_leave_memory_spoilt_and_devices_alone() {
    let here = whole();
    here.use_it();
    let mut bytes = here.save(RunStateName::PAUSED);
    let at = bytes.windows(16).rposition(|found| found == b"0:00:01.3/piix4_").unwrap();
    bytes.truncate(at - 20);
    bytes.push(0);
    let refused = refused(&whole(), &bytes);
    assert!(refused.memory_is_spoilt, "{refused}");
}

#[test]
fn a_run_state_that_nobody_knows_is_refused() {
    let mut bytes = whole().save(RunStateName::RUNNING);
    let at = bytes.windows(8).rposition(|found| found == b"running\0").unwrap();
    bytes[at] = b'R';
    assert_eq!(fault(&whole(), &bytes), Fault::RunState);
}

/// A stream behind which its sender waits, having said all it has to say.
struct Waiting<'a> {
    bytes: &'a [u8],
    patience: Duration,
    /// How long it was waited for.
    waited: Duration,
}

impl<'a> Waiting<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, patience: Duration::MAX, waited: Duration::ZERO }
    }
}

impl Read for Waiting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty() {
            self.waited += self.patience;
            return Err(ErrorKind::TimedOut.into());
        }
        let most = buffer.len().min(5000);
        self.bytes.read(&mut buffer[..most])
    }
}

impl Source for Waiting<'_> {
    fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }
}

#[test]
fn a_sender_that_keeps_the_stream_open_is_not_waited_for() {
    for (name, waited) in [
        (NAME, Duration::ZERO),
        ("xenfv-4.2", SILENCE_AT_THE_END),
        ("xenfv-3.1", SILENCE_AT_THE_END),
    ] {
        let (here, there) = (Whole::new(name, 0), Whole::new(name, 0));
        here.use_it();
        let bytes = here.save(RunStateName::PAUSED);
        let mut source = Waiting::new(&bytes);
        load(&there.machine, &there.blocks, None, &mut source, &Progress::default()).unwrap();
        assert_eq!(source.waited, waited, "{name}");
        assert!(there.content() == here.content(), "{name}");
        assert_eq!(there.apms(), 0x5a, "{name}");
    }
}

#[test]
fn a_sender_that_falls_silent_is_given_up() {
    let bytes = whole().save(RunStateName::PAUSED);
    for end in [0, 30, 5000, bytes.len() - 3000] {
        let there = whole();
        let mut source = Waiting::new(&bytes[..end]);
        let result = load(&there.machine, &there.blocks, None, &mut source, &Progress::default());
        let refused = result.expect_err("it is given up");
        assert!(matches!(refused.reason, Reason::Silent { at } if at == end as u64), "{refused}");
    }
}

/// What is behind a description is nobody's business.
#[test]
fn what_follows_a_description_is_not_read() {
    let bytes = whole().save(RunStateName::PAUSED);
    let longer = [bytes.as_slice(), b"something else"].concat();
    let there = whole();
    let mut source = Waiting::new(&longer);
    load(&there.machine, &there.blocks, None, &mut source, &Progress::default()).unwrap();
}

/// Takes so many bytes and no more.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(ErrorKind::StorageFull.into());
        }
        let count = bytes.len().min(self.0);
        self.0 -= count;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_receiver_that_takes_no_more_ends_it() {
    let here = whole();
    here.use_it();
    let whole_size = here.save(RunStateName::PAUSED).len();
    for room in [0, 10, 100_000, whole_size - 1] {
        let mut sink = Full(room);
        let progress = Progress::default();
        let result =
            save(&here.machine, &here.blocks, &RunStateName::PAUSED.into(), &mut sink, &progress);
        let error = result.expect_err("there is no room").to_string();
        assert!(error.starts_with("cannot write: "), "{error}");
        assert!(progress.counts().transferred <= room as u64);
    }
    // Nothing has changed.
    assert_eq!(here.save(RunStateName::PAUSED).len(), whole_size);
}

#[test]
fn kept_blocks_take_no_more_than_they_may() {
    let whole = whole();
    let blocks = [block("vga.vram", 512 << 20)];
    let framing = Framing { footers: true, switchover_start: false };
    let mut writer = MemoryWriter::new(9, framing, blocks.to_vec());
    writer.page(0, 0, |page| page.fill(7));
    let piece = writer.piece().to_vec();
    let head = memory(Some(NAME), &blocks, &[]);
    let start = head.len() - writer.end().len() - 1;
    /// A piece over and over, with the next offset each time.
    struct Endless {
        head: Vec<u8>,
        piece: Vec<u8>,
        offset: u64,
        rest: Vec<u8>,
    }
    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.rest.is_empty() {
                self.rest = std::mem::take(&mut self.head);
            }
            while self.rest.len() < buffer.len() {
                let word = (self.offset | 8).to_be_bytes();
                self.piece[5..13].copy_from_slice(&word);
                self.offset += PAGE_SIZE as u64;
                self.rest.extend_from_slice(&self.piece);
            }
            let rest = self.rest.split_off(buffer.len());
            buffer.copy_from_slice(&self.rest);
            self.rest = rest;
            Ok(buffer.len())
        }
    }
    impl Source for Endless {}
    let mut source = Endless { head: head[..start].to_vec(), piece, offset: 0, rest: Vec::new() };
    let result = load(&whole.machine, &whole.blocks, None, &mut source, &Progress::default());
    let refused = result.expect_err("it is too much");
    assert!(refused.to_string().contains("0x10000000 bytes are kept"), "{refused}");
    assert!(!refused.memory_is_spoilt && whole.blocks.kept().is_empty());
}
