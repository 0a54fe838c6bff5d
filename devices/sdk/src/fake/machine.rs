//! The machine: records effects, answers for child buses.

use std::collections::BTreeMap;

use super::{Bytes, ConfigurationSpace, DriveRequest, Transfer};
use crate::wit::{Level, Mode, Nanoseconds, Piece, Request, WakeupReason};
use crate::{Context, I2cTarget, IsaDmaTarget, Machine};

/// An effect, in the order in which the device recorded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// An output line changed its level. Setting the level it has is not
    /// recorded.
    Line(u32, bool),
    /// A region was mapped at an address with a priority.
    Map(u32, u64, u8),
    /// A region was unmapped.
    Unmap(u32),
    /// A power request: `reset`, `shutdown`, `suspend`, `suspend-to-disk`,
    /// `panicked`.
    Power(&'static str),
    /// The machine ends with a status.
    Exit(u8),
    /// A wake-up reason was enabled or disabled.
    EnableWakeup(&'static str, bool),
    /// A wake-up was asked for.
    Wake(&'static str),
    /// A stream may have more room.
    Ready(u32),
    /// A RAM window was set: `bus`, `ram-read-only`, `ram`.
    Window(u32, &'static str),
    /// A message for the operator.
    Log(String),
    /// A message-signalled interrupt: address and data.
    Message(u64, u32),
    /// A drive's tray was opened or closed.
    Tray(u32, bool),
    /// A drive's medium was locked or unlocked.
    Lock(u32, bool),
}

/// Everything outside the device.
#[derive(Default)]
pub struct Fake {
    /// The virtual time in nanoseconds; moved by `Bench::advance`.
    pub now: Nanoseconds,
    /// What the device did since the test last took it.
    pub effects: Vec<Effect>,
    /// The level of each output line that was ever set.
    pub lines: BTreeMap<u32, bool>,
    /// Address and priority of each mapped region.
    pub mappings: BTreeMap<u32, (u64, u8)>,
    /// The deadline of each armed timer.
    pub timers: BTreeMap<u32, Nanoseconds>,
    /// What was sent on each stream.
    pub streams: BTreeMap<u32, Vec<u8>>,
    /// The devices on the child I2C bus, by address.
    pub i2c: BTreeMap<u8, Box<dyn I2cTarget>>,
    /// The functions on the child PCI bus, by slot and function.
    pub pci: BTreeMap<u8, Box<dyn ConfigurationSpace>>,
    /// The devices on the channels of the ISA bus that the device carries.
    pub isa_dma: BTreeMap<u8, Box<dyn IsaDmaTarget>>,
    /// The guest's memory, from address 0 on. There is none until the test says
    /// so.
    pub ram: Bytes,
    /// The device's blocks of memory.
    pub memories: BTreeMap<u32, Bytes>,
    /// The files it is given, by name.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The media in its drives.
    pub media: BTreeMap<u32, Bytes>,
    /// The requests to its drives that have not ended.
    pub requests: Vec<DriveRequest>,
}

impl Fake {
    /// Takes the effects recorded so far.
    pub fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// The level of an output line; low if it was never set.
    #[must_use]
    pub fn line(&self, line: u32) -> bool {
        self.lines.get(&line).copied().unwrap_or(false)
    }

    /// Calls the device on a DMA channel.
    fn channel<R>(
        &mut self,
        channel: u8,
        call: impl FnOnce(&mut dyn IsaDmaTarget, &mut Context<'_>) -> R,
    ) -> Option<R> {
        let mut machine = Fake { now: self.now, ..Fake::default() };
        let mut cx = Context::new(self.now, &mut machine);
        self.isa_dma.get_mut(&channel).map(|target| call(&mut **target, &mut cx))
    }

    fn file(&self, file: u32) -> Option<(&String, &Vec<u8>)> {
        self.files.iter().nth(file as usize)
    }

    fn request(&mut self, drive: u32, tag: u32, offset: u64, transfer: Transfer) {
        self.requests.push(DriveRequest { drive, tag, offset, transfer });
    }

    /// Calls every target at an address; the general call reaches all.
    fn targets<R>(
        &mut self,
        address: u8,
        mut call: impl FnMut(&mut dyn I2cTarget, &mut Context<'_>) -> R,
    ) -> Vec<R> {
        // A target gets a machine of its own: it may not reach its parent's.
        let mut machine = Fake { now: self.now, ..Fake::default() };
        let mut cx = Context::new(self.now, &mut machine);
        let addressed = self.i2c.iter_mut().filter(|(own, _)| address == 0 || **own == address);
        addressed.map(|(_, target)| call(&mut **target, &mut cx)).collect()
    }
}

fn reason_name(reason: WakeupReason) -> &'static str {
    match reason {
        WakeupReason::Other => "other",
        WakeupReason::Rtc => "rtc",
        WakeupReason::PmTimer => "pm-timer",
    }
}

impl Machine for Fake {
    fn set_line(&mut self, line: u32, level: bool) {
        if self.lines.insert(line, level).unwrap_or(false) != level {
            self.effects.push(Effect::Line(line, level));
        }
    }

    fn map(&mut self, region: u32, base: u64, priority: u8) {
        self.mappings.insert(region, (base, priority));
        self.effects.push(Effect::Map(region, base, priority));
    }

    fn unmap(&mut self, region: u32) {
        self.mappings.remove(&region);
        self.effects.push(Effect::Unmap(region));
    }

    fn arm(&mut self, timer: u32, deadline: Nanoseconds) {
        self.timers.insert(timer, deadline);
    }

    fn disarm(&mut self, timer: u32) {
        self.timers.remove(&timer);
    }

    fn log(&mut self, _level: Level, message: &str) {
        self.effects.push(Effect::Log(message.into()));
    }

    fn ask_power(&mut self, request: Request) {
        self.effects.push(Effect::Power(match request {
            Request::Reset => "reset",
            Request::Shutdown => "shutdown",
            Request::Suspend => "suspend",
            Request::SuspendToDisk => "suspend-to-disk",
            Request::Panicked => "panicked",
        }));
    }

    fn exit(&mut self, status: u8) {
        self.effects.push(Effect::Exit(status));
    }

    fn enable_wakeup(&mut self, reason: WakeupReason, enabled: bool) {
        self.effects.push(Effect::EnableWakeup(reason_name(reason), enabled));
    }

    fn wake(&mut self, reason: WakeupReason) {
        self.effects.push(Effect::Wake(reason_name(reason)));
    }

    fn put(&mut self, stream: u32, byte: u8) {
        self.streams.entry(stream).or_default().push(byte);
    }

    fn ready(&mut self, stream: u32) {
        self.effects.push(Effect::Ready(stream));
    }

    fn set_window(&mut self, window: u32, mode: Mode) {
        self.effects.push(Effect::Window(
            window,
            match mode {
                Mode::Bus => "bus",
                Mode::RamReadOnly => "ram-read-only",
                Mode::Ram => "ram",
            },
        ));
    }

    fn pci_read(&mut self, _bus: u32, devfn: u8, offset: u16, size: u8) -> u32 {
        self.pci.get_mut(&devfn).map_or(u32::MAX, |function| function.read(offset, size))
    }

    fn pci_write(&mut self, _bus: u32, devfn: u8, offset: u16, size: u8, value: u32) {
        if let Some(function) = self.pci.get_mut(&devfn) {
            function.write(offset, size, value);
        }
    }

    fn i2c_start(&mut self, _bus: u32, address: u8, read: bool) -> bool {
        self.targets(address, |target, cx| target.start(cx, read)).contains(&true)
    }

    fn i2c_send(&mut self, _bus: u32, address: u8, byte: u8) -> bool {
        let acknowledged = self.targets(address, |target, cx| target.send(cx, byte));
        !acknowledged.is_empty() && !acknowledged.contains(&false)
    }

    fn i2c_receive(&mut self, _bus: u32, address: u8) -> u8 {
        self.targets(address, |target, cx| target.receive(cx)).first().copied().unwrap_or(0xff)
    }

    fn i2c_nack(&mut self, _bus: u32, address: u8) {
        self.targets(address, |target, cx| target.nack(cx));
    }

    fn i2c_stop(&mut self, _bus: u32, address: u8) {
        self.targets(address, |target, cx| target.stop(cx));
    }

    fn isa_dma_take(&mut self, _bus: u32, channel: u8, length: u32) -> Vec<u8> {
        self.channel(channel, |target, cx| target.take(cx, length)).unwrap_or_default()
    }

    fn isa_dma_give(&mut self, _bus: u32, channel: u8, data: &[u8]) -> u32 {
        self.channel(channel, |target, cx| target.give(cx, data)).unwrap_or(0)
    }

    fn isa_dma_terminal_count(&mut self, _bus: u32, channel: u8) {
        self.channel(channel, |target, cx| target.terminal_count(cx));
    }

    fn dma_load(&mut self, address: u64, size: u8) -> u64 {
        self.ram.load(address, size)
    }

    fn dma_read(&mut self, address: u64, length: u32) -> Vec<u8> {
        self.ram.read(address, length.min(65536) as usize)
    }

    fn dma_write(&mut self, address: u64, data: &[u8]) {
        self.ram.write(address, data);
    }

    fn dma_message(&mut self, address: u64, data: u32) {
        self.effects.push(Effect::Message(address, data));
    }

    fn memory_load(&mut self, memory: u32, offset: u64, size: u8) -> u64 {
        self.memories.get(&memory).map_or(0, |memory| memory.load(offset, size))
    }

    fn memory_store(&mut self, memory: u32, offset: u64, size: u8, value: u64) {
        self.memory_write(memory, offset, &value.to_le_bytes()[..size.into()]);
    }

    fn memory_read(&mut self, memory: u32, offset: u64, length: u32) -> Vec<u8> {
        let length = length.min(16 << 20) as usize;
        self.memories.get(&memory).map_or(vec![0; length], |memory| memory.read(offset, length))
    }

    fn memory_write(&mut self, memory: u32, offset: u64, data: &[u8]) {
        if let Some(memory) = self.memories.get_mut(&memory) {
            memory.write(offset, data);
        }
    }

    fn file_count(&mut self) -> u32 {
        self.files.len() as u32
    }

    fn file_name(&mut self, file: u32) -> String {
        self.file(file).map(|(name, _)| name.clone()).unwrap_or_default()
    }

    fn file_size(&mut self, file: u32) -> u64 {
        self.file(file).map_or(0, |(_, data)| data.len() as u64)
    }

    fn file_load(&mut self, file: u32, offset: u64, size: u8) -> u64 {
        let data = self.file(file).map_or(&[][..], |(_, data)| data);
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let part = data.get(start..).unwrap_or_default();
        let part = &part[..part.len().min(size.into())];
        part.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }

    fn file_to_memory(&mut self, file: u32, offset: u64, address: u64, length: u32) {
        let data = self.file(file).map(|(_, data)| data.clone()).unwrap_or_default();
        let part = Bytes { data }.read(offset, length as usize);
        self.ram.write(address, &part);
    }

    fn drive_read(&mut self, drive: u32, tag: u32, offset: u64, length: u32) {
        self.request(drive, tag, offset, Transfer::Read(length));
    }

    fn drive_write(&mut self, drive: u32, tag: u32, offset: u64, data: &[u8]) {
        self.request(drive, tag, offset, Transfer::Write(data.to_vec()));
    }

    fn drive_to_memory(&mut self, drive: u32, tag: u32, offset: u64, pieces: &[Piece]) {
        self.request(drive, tag, offset, Transfer::ToMemory(pieces.to_vec()));
    }

    fn drive_from_memory(&mut self, drive: u32, tag: u32, offset: u64, pieces: &[Piece]) {
        self.request(drive, tag, offset, Transfer::FromMemory(pieces.to_vec()));
    }

    fn drive_flush(&mut self, drive: u32, tag: u32) {
        self.request(drive, tag, 0, Transfer::Flush);
    }

    fn drive_tray(&mut self, drive: u32, open: bool) {
        self.effects.push(Effect::Tray(drive, open));
    }

    fn drive_lock(&mut self, drive: u32, locked: bool) {
        self.effects.push(Effect::Lock(drive, locked));
    }
}
