//! Taking a stream in pieces.
//!
//! Only what is at most a few hundred bytes long is ever waited for as a whole;
//! pages of memory are skipped. Where the devices begin everything is kept, as
//! the end of a section may depend on all that follows.

use std::ops::Range;

use super::configuration::{self, Configuration};
use super::devices::{Before, Devices};
use super::ending::Ending;
use super::{MAGIC, Stream, VERSION, section};
use crate::error::{Error, Problem};
use crate::layout::Layouts;
use crate::ram::{self, Block, Form, Page, Record};
use crate::wire::{Reader, Truncated};

/// The most device state that is kept. A machine with every device has less than
/// a mebibyte; hundreds of processors add four.
const DEVICES_MAX: usize = 8 << 20;
/// The most that is waited for: a configuration with hundreds of capabilities.
const ITEM_MAX: usize = 64 << 10;
/// The most blocks of memory; a machine has some ten.
const BLOCKS_MAX: usize = 4096;

/// What comes between the head and the devices: guest memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// Where it lies in the stream, in bytes. It is to be copied as it is.
    pub range: Range<u64>,
    /// The id of the section that holds guest memory, if there is one. No section
    /// of a device has it too.
    pub id: Option<u32>,
    /// The blocks of memory.
    pub blocks: Vec<Block>,
    /// How many pages are there with their contents.
    pub pages: u64,
    /// How many pages are one byte over and over.
    pub zero_pages: u64,
    /// The numbers of the commands to the receiver.
    pub commands: Vec<u16>,
}

/// A place in the live part where streams of machine types differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mark {
    /// A piece of the section with this id has ended; a footer follows, or not.
    Ended { id: u32, footer: bool },
    /// The last piece of the section begins.
    Last,
    /// A command to the receiver, of so many bytes.
    Command { number: u16, size: u64 },
}

/// Reads a stream that is handed to it piece by piece.
///
/// ```
/// # fn main() -> Result<(), vmstate::Error> {
/// let bytes = [b"QEVM".as_slice(), &[0, 0, 0, 3, 0]].concat();
/// let mut scanner = vmstate::Scanner::new();
/// for piece in bytes.chunks(4) {
///     scanner.push(piece)?;
/// }
/// let stream = scanner.finish(vmstate::Layouts::builtin())?;
/// assert!(stream.devices.sections.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Scanner {
    state: State,
    /// Where the next byte to be looked at lies in the stream.
    offset: u64,
    /// Bytes that are still to be passed over.
    skip: u64,
    /// The page they are of, if they are a page's content.
    page: Option<Page>,
    /// The beginning of something that was cut by the end of a piece.
    carry: Vec<u8>,
    configuration: Option<Configuration>,
    footers: Option<bool>,
    memory: Memory,
    live: Live,
    /// What the last piece brought, and where in the stream.
    marks: Vec<(u64, Mark)>,
    /// Whether the blocks were handed over.
    announced: bool,
    /// Whether there are pages in another channel.
    flush: bool,
    devices: Vec<u8>,
    ending: Ending,
}

/// What is expected next.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Magic,
    Configuration,
    /// A section or a command begins, or the devices.
    Boundary,
    /// The list of blocks; so many bytes of memory are still to be listed.
    Blocks(u64),
    Records,
    /// A footer, if this stream has them.
    Footer,
    Devices,
}

/// How far the section of guest memory has come.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Memory {
    None,
    /// Its id, and the block of the last record.
    Open(u32, Option<usize>),
    /// Its last piece has been reached.
    Last(u32, Option<usize>),
    Ended(u32),
}

/// Why the next item cannot be taken.
enum Failed {
    Short,
    Wrong(Error),
}

impl From<Truncated> for Failed {
    fn from(_: Truncated) -> Self {
        Self::Short
    }
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

impl Scanner {
    /// Before the first byte.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: State::Magic,
            offset: 0,
            skip: 0,
            page: None,
            carry: Vec::new(),
            configuration: None,
            footers: None,
            memory: Memory::None,
            live: Live::default(),
            marks: Vec::new(),
            announced: false,
            flush: false,
            devices: Vec::new(),
            ending: Ending::default(),
        }
    }

    /// Takes the next piece, of any length, and passes over guest memory. Returns
    /// which part of it belongs to the live part: whoever writes the stream anew
    /// copies that.
    ///
    /// # Errors
    /// [`Error`] as soon as the stream is seen to be wrong; there is no going on then.
    pub fn push(&mut self, piece: &[u8]) -> Result<Range<usize>, Error> {
        let base = self.offset + self.carry.len() as u64;
        self.take(piece, None)?;
        let within = |offset: u64| offset.clamp(base, base + piece.len() as u64) - base;
        let live = self.live_range();
        Ok(within(live.start) as usize..within(live.end) as usize)
    }

    /// Takes the next piece, of any length, and hands guest memory over.
    ///
    /// # Errors
    /// As [`push`](Self::push), also if it is memory that cannot be handed over: pages
    /// that are in another channel, or in a form that needs the pages before them; or
    /// if it is not taken.
    pub fn push_into(&mut self, piece: &[u8], memory: &mut dyn ram::Memory) -> Result<(), Error> {
        self.take(piece, Some(memory))
    }

    fn take(
        &mut self,
        piece: &[u8],
        mut memory: Option<&mut (dyn ram::Memory + '_)>,
    ) -> Result<(), Error> {
        self.marks.clear();
        let mut rest = piece;
        while !rest.is_empty() {
            if self.state == State::Devices {
                if self.devices.len() + rest.len() > DEVICES_MAX {
                    return Err(Problem::TooLarge(DEVICES_MAX).at(self.offset));
                }
                self.devices.extend_from_slice(rest);
                break;
            }
            if self.skip > 0 {
                let count = self.skip.min(rest.len() as u64);
                let (bytes, behind) = rest.split_at(count as usize);
                if let (Some(memory), Some(page)) = (&mut memory, &mut self.page) {
                    let taken = memory.bytes(page.block, page.offset, bytes);
                    taken.map_err(|reason| Problem::Memory(reason).at(self.offset))?;
                    page.offset += count;
                }
                self.skip -= count;
                self.offset += count;
                rest = behind;
                continue;
            }
            // What follows is a page's content only if that is said now.
            self.page = None;
            let (state, at) = (self.state, self.offset);
            rest = self.step(rest)?;
            if let Some(memory) = &mut memory {
                self.hand_over(state, at, *memory)?;
            }
        }
        Ok(())
    }

    /// After an item was taken in this state, at this offset: hands over what it said
    /// of guest memory.
    fn hand_over(
        &mut self,
        state: State,
        at: u64,
        memory: &mut dyn ram::Memory,
    ) -> Result<(), Error> {
        let refused = |reason: String| Problem::Memory(reason).at(at);
        match (state, self.state) {
            (State::Boundary | State::Blocks(_), State::Records)
                if !self.announced && self.memory != Memory::None =>
            {
                self.announced = true;
                let configuration = self.configuration.as_ref();
                memory.blocks(configuration, &self.live.blocks).map_err(refused)
            }
            _ => match self.page {
                Some(Page { block, offset, form: Form::Fill(byte) }) => {
                    memory.fill(block, offset, byte).map_err(refused)
                }
                Some(Page { form: Form::Encoded(_, capability), .. }) => {
                    Err(Problem::Encoded(capability).at(at))
                }
                _ if self.flush => Err(Problem::Encoded("multifd").at(at)),
                _ => Ok(()),
            },
        }
    }

    /// Where the live part lies, as far as it is known.
    pub(crate) fn live_range(&self) -> Range<u64> {
        match self.state {
            State::Magic | State::Configuration => 0..0,
            State::Devices => self.live.range.clone(),
            _ => self.live.range.start..u64::MAX,
        }
    }

    /// How far the stream has been understood. From there to the end of the last
    /// piece it is not known yet what is what.
    pub(crate) fn understood(&self) -> u64 {
        self.offset
    }

    /// The marks in what the last piece made understood, in order.
    pub(crate) fn marks(&self) -> &[(u64, Mark)] {
        &self.marks
    }

    /// Takes the next item, together with what was left of the piece before.
    fn step<'a>(&mut self, rest: &'a [u8]) -> Result<&'a [u8], Error> {
        let carried = self.carry.len();
        let mut carry = std::mem::take(&mut self.carry);
        let taken = if carried == 0 {
            self.item(rest)
        } else {
            carry.extend_from_slice(&rest[..rest.len().min(ITEM_MAX - carried)]);
            self.item(&carry)
        };
        match taken {
            Ok(taken) => {
                self.offset += taken as u64;
                Ok(&rest[taken - carried..])
            }
            Err(Failed::Wrong(error)) => Err(error),
            Err(Failed::Short) => {
                if carried == 0 {
                    carry.extend_from_slice(&rest[..rest.len().min(ITEM_MAX)]);
                }
                if carry.len() == ITEM_MAX {
                    return Err(Problem::Configuration("it is too long").at(self.offset));
                }
                self.carry = carry;
                Ok(&[])
            }
        }
    }

    /// Takes what `data` begins with and returns its length.
    fn item(&mut self, data: &[u8]) -> Result<usize, Failed> {
        let mut reader = Reader::new(data);
        match self.state {
            State::Magic => {
                let magic = reader.integer(4)? as u32;
                if magic != MAGIC {
                    return Err(self.wrong(Problem::NotAStream(magic)));
                }
                let version = reader.integer(4)? as u32;
                if version != VERSION {
                    return Err(self.wrong(Problem::StreamVersion(version)));
                }
                self.state = State::Configuration;
            }
            State::Configuration => {
                if data.first() == Some(&section::CONFIGURATION) {
                    reader.integer(1)?;
                    let read = Configuration::read(&mut reader, self.offset);
                    self.configuration = Some(read.map_err(|failed| match failed {
                        configuration::Failed::Short => Failed::Short,
                        configuration::Failed::Wrong(error) => Failed::Wrong(error),
                    })?);
                }
                self.live.range.start = self.offset + reader.offset() as u64;
                self.state = State::Boundary;
            }
            State::Boundary => self.boundary(&mut reader)?,
            State::Blocks(left) => self.block(left, &mut reader)?,
            State::Records => self.record(&mut reader)?,
            State::Footer => self.footer(&mut reader)?,
            State::Devices => {}
        }
        Ok(reader.offset())
    }

    fn boundary(&mut self, reader: &mut Reader<'_>) -> Result<(), Failed> {
        match (reader.clone().integer(1)? as u8, self.memory) {
            (section::FULL | section::EOF, Memory::Open(id, _)) => {
                return Err(self.wrong(Problem::NotEnded(id)));
            }
            (section::FULL | section::EOF, _) => {
                self.live.range.end = self.offset;
                self.state = State::Devices;
                return Ok(());
            }
            _ => {}
        }
        match (reader.integer(1)? as u8, self.memory) {
            (section::START, memory) => {
                let id = reader.integer(4)? as u32;
                let length = reader.integer(1)? as usize;
                let name = reader.bytes(length)?;
                let (instance, version) = (reader.integer(4)? as u32, reader.integer(4)? as u32);
                let name = String::from_utf8_lossy(name).into_owned();
                // Other live sections exist, such as disk contents, but not on the
                // machines whose state is handled here.
                if name != ram::NAME || instance != 0 {
                    return Err(self.wrong(Problem::UnknownSection { name, instance }));
                }
                if version != ram::VERSION {
                    let known = ram::VERSION;
                    return Err(self.wrong(Problem::SectionVersion { name, version, known }));
                }
                if memory != Memory::None {
                    return Err(self.wrong(Problem::SectionTwice { name, instance }));
                }
                if self.configuration.as_ref().is_some_and(Configuration::memory_is_mapped) {
                    return Err(self.wrong(Problem::Encoded("mapped-ram")));
                }
                let total = self.memory_item(ram::read_total(reader))?;
                self.memory = Memory::Open(id, None);
                self.live.id = Some(id);
                self.state = if total == 0 { State::Records } else { State::Blocks(total) };
            }
            (kind @ (section::PART | section::END), memory) => {
                let id = reader.integer(4)? as u32;
                match memory {
                    Memory::Open(open, named) if open == id => {
                        if kind == section::END {
                            self.memory = Memory::Last(id, named);
                            self.marks.push((self.offset, Mark::Last));
                        }
                        self.state = State::Records;
                    }
                    _ => return Err(self.wrong(Problem::NotOpen(id))),
                }
            }
            (section::COMMAND, _) => {
                let (command, length) = (reader.integer(2)? as u16, reader.integer(2)?);
                // 7 packs the rest of the stream, and what is not listed is not known.
                if !matches!(command, 1..=6 | 8..=11) {
                    return Err(self.wrong(Problem::Command(command)));
                }
                // There is one in practice; a few more cannot hurt.
                if self.live.commands.len() < BLOCKS_MAX {
                    self.live.commands.push(command);
                }
                self.marks.push((self.offset, Mark::Command { number: command, size: 5 + length }));
                self.skip = length;
            }
            (other, _) => return Err(self.wrong(Problem::SectionType(other))),
        }
        Ok(())
    }

    fn block(&mut self, left: u64, reader: &mut Reader<'_>) -> Result<(), Failed> {
        let addresses =
            self.configuration.as_ref().is_some_and(Configuration::blocks_have_addresses);
        let block = self.memory_item(ram::read_block(reader, addresses))?;
        let Some(left) = left.checked_sub(block.size).filter(|_| block.size > 0) else {
            return Err(self.wrong(Problem::Ram("the blocks are not as large as announced")));
        };
        if self.live.blocks.len() == BLOCKS_MAX {
            return Err(self.wrong(Problem::Ram("too many blocks")));
        }
        if self.live.blocks.iter().any(|other| other.name == block.name) {
            return Err(self.wrong(Problem::Ram("a block is listed twice")));
        }
        self.live.blocks.push(block);
        self.state = if left == 0 { State::Records } else { State::Blocks(left) };
        Ok(())
    }

    fn record(&mut self, reader: &mut Reader<'_>) -> Result<(), Failed> {
        let (Memory::Open(id, named) | Memory::Last(id, named)) = self.memory else {
            return Ok(());
        };
        let record = self.memory_item(ram::read_record(reader, &self.live.blocks, named))?;
        let last = matches!(self.memory, Memory::Last(..));
        let page = match record {
            Record::Page(page) => page,
            Record::Flush => {
                self.flush = true;
                return Ok(());
            }
            Record::End => {
                self.state = State::Footer;
                return Ok(());
            }
        };
        match page.form {
            Form::Plain => self.skip = ram::PAGE_SIZE as u64,
            Form::Encoded(size, _) => self.skip = size,
            Form::Fill(_) => {}
        }
        match page.form {
            Form::Fill(_) => self.live.zero_pages += 1,
            _ => self.live.pages += 1,
        }
        self.page = Some(page);
        let block = Some(page.block);
        self.memory = if last { Memory::Last(id, block) } else { Memory::Open(id, block) };
        Ok(())
    }

    fn footer(&mut self, reader: &mut Reader<'_>) -> Result<(), Failed> {
        let (Memory::Open(id, _) | Memory::Last(id, _)) = self.memory else { return Ok(()) };
        let next = reader.clone().integer(1)? as u8;
        // The first section tells for all.
        let footer = *self.footers.get_or_insert(next == section::FOOTER);
        if footer {
            if next != section::FOOTER {
                let name = ram::NAME.to_owned();
                return Err(self.wrong(Problem::NoFooter { name, found: next }));
            }
            reader.integer(1)?;
            let found = reader.integer(4)? as u32;
            if found != id {
                return Err(self.wrong(Problem::Footer { expected: id, found }));
            }
        }
        self.marks.push((self.offset, Mark::Ended { id, footer }));
        if matches!(self.memory, Memory::Last(..)) {
            self.memory = Memory::Ended(id);
        }
        self.state = State::Boundary;
        Ok(())
    }

    /// Where the configuration section is known: the machine the stream is of.
    #[must_use]
    pub fn configuration(&self) -> Option<&Configuration> {
        self.configuration.as_ref()
    }

    /// Whether the stream has ended with its description: a receiver need not wait
    /// for more, and what has come behind it is dropped.
    pub fn has_ended(&mut self) -> bool {
        let before = self.before();
        let (data, layouts) = (&self.devices, Layouts::builtin());
        let is_end = |end: usize| Devices::read(&data[..end], &before, layouts).is_ok();
        let end = self.ending.find(data, is_end);
        if let Some(end) = end {
            self.devices.truncate(end);
        }
        end.is_some()
    }

    /// Whether what has come reads as a whole stream. One without a description may
    /// go on even so: only the end of the data tells.
    #[must_use]
    pub fn may_have_ended(&self, layouts: &Layouts) -> bool {
        self.devices.ends_with(&[section::EOF])
            && Devices::read(&self.devices, &self.before(), layouts).is_ok()
    }

    /// How many pages have come so far: with their contents, and as one byte.
    #[must_use]
    pub const fn page_counts(&self) -> (u64, u64) {
        (self.live.pages, self.live.zero_pages)
    }

    /// Where the devices begin: guest memory has been read.
    #[must_use]
    pub fn in_devices(&self) -> bool {
        self.state == State::Devices
    }

    /// After the last byte: reads the devices and checks the whole. `layouts` say
    /// what sections consist of unless the stream says it itself.
    ///
    /// # Errors
    /// [`Error`] says where the stream is wrong and why.
    pub fn finish(self, layouts: &Layouts) -> Result<Stream, Error> {
        let inside = match self.state {
            State::Devices => None,
            State::Magic if self.carry.is_empty() => return Err(Problem::Empty.at(0)),
            State::Magic => Some("the magic number and version"),
            State::Configuration => Some("the configuration section"),
            State::Boundary => Some("the list of sections"),
            State::Blocks(_) | State::Records | State::Footer => Some("the memory section"),
        };
        if let Some(inside) = inside {
            let end = self.offset + self.carry.len() as u64;
            return Err(Problem::Truncated(inside.to_owned()).at(end));
        }
        let devices = Devices::read(&self.devices, &self.before(), layouts)?;
        Ok(Stream { configuration: self.configuration, live: self.live, devices })
    }

    /// What is known where the devices begin.
    fn before(&self) -> Before {
        let ids = match self.memory {
            Memory::Ended(id) => vec![id],
            _ => Vec::new(),
        };
        Before { offset: self.offset, footers: self.footers, ids }
    }

    fn memory_item<T>(&self, item: Result<T, ram::Failed>) -> Result<T, Failed> {
        item.map_err(|failed| match failed {
            ram::Failed::Short => Failed::Short,
            ram::Failed::Wrong(reason) => self.wrong(Problem::Ram(reason)),
        })
    }

    fn wrong(&self, problem: Problem) -> Failed {
        Failed::Wrong(problem.at(self.offset))
    }
}
