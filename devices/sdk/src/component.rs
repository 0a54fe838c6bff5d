//! What a component consists of besides its device.

use std::cell::RefCell;

use crate::bindings::device_component::southbridge::device as host;
use crate::wit::{Level, Mode, Nanoseconds, Piece, Request, WakeupReason};
use crate::{Context, Device};

/// The instance of a device in its component. There is one thread and no
/// re-entry, so the borrow always succeeds; a call before `configure` is a
/// mistake of the host and traps.
pub struct Cell<D>(RefCell<Option<D>>);

impl<D> Cell<D> {
    /// A cell without a device.
    #[must_use]
    pub const fn empty() -> Self {
        Self(RefCell::new(None))
    }

    /// Puts the configured device in.
    pub fn put(&self, device: D) {
        *self.0.borrow_mut() = Some(device);
    }

    /// Calls into the device.
    pub fn with<R>(&self, call: impl FnOnce(&mut D) -> R) -> R {
        call(self.0.borrow_mut().as_mut().expect("the device has been configured"))
    }

    /// Calls into the device at a time.
    pub fn call<R>(&self, now: Nanoseconds, call: impl FnOnce(&mut D, &mut Context<'_>) -> R) -> R {
        self.with(|device| call(device, &mut Context::new(now, &mut Imports)))
    }

    /// Configures a device and keeps it.
    ///
    /// # Errors
    /// The device's own.
    pub fn configure(&self, properties: Vec<crate::wit::Property>) -> Result<(), String>
    where
        D: Device,
    {
        let properties = crate::Properties::new(properties);
        D::configure(&properties, &mut Context::new(0, &mut Imports)).map(|device| self.put(device))
    }
}

/// The machine as a component sees it: the contract's imports, under the names
/// they have in `Machine`.
///
/// It is no `Machine`, because a table of its methods would refer to all of
/// them: the component would import, and have to be granted, what its device
/// never uses.
pub struct Imports;

impl Imports {
    pub fn set_line(&mut self, line: u32, level: bool) {
        host::lines::set(line, level);
    }

    pub fn map(&mut self, region: u32, base: u64, priority: u8) {
        host::regions::map(region, base, priority);
    }

    pub fn unmap(&mut self, region: u32) {
        host::regions::unmap(region);
    }

    pub fn arm(&mut self, timer: u32, deadline: Nanoseconds) {
        host::timers::arm(timer, deadline);
    }

    pub fn disarm(&mut self, timer: u32) {
        host::timers::disarm(timer);
    }

    pub fn log(&mut self, level: Level, message: &str) {
        host::log::write(level, message);
    }

    pub fn ask_power(&mut self, request: Request) {
        host::power::ask(request);
    }

    pub fn exit(&mut self, status: u8) {
        host::power::exit(status);
    }

    pub fn enable_wakeup(&mut self, reason: WakeupReason, enabled: bool) {
        host::power::enable_wakeup(reason, enabled);
    }

    pub fn wake(&mut self, reason: WakeupReason) {
        host::power::wake(reason);
    }

    pub fn put(&mut self, stream: u32, byte: u8) {
        host::streams::put(stream, byte);
    }

    pub fn ready(&mut self, stream: u32) {
        host::streams::ready(stream);
    }

    pub fn set_window(&mut self, window: u32, mode: Mode) {
        host::ram_windows::set(window, mode);
    }

    pub fn pci_read(&mut self, bus: u32, devfn: u8, offset: u16, size: u8) -> u32 {
        host::pci_bus::read(bus, devfn, offset, size)
    }

    pub fn pci_write(&mut self, bus: u32, devfn: u8, offset: u16, size: u8, value: u32) {
        host::pci_bus::write(bus, devfn, offset, size, value);
    }

    pub fn i2c_start(&mut self, bus: u32, address: u8, read: bool) -> bool {
        host::i2c_bus::start(bus, address, read)
    }

    pub fn i2c_send(&mut self, bus: u32, address: u8, byte: u8) -> bool {
        host::i2c_bus::send(bus, address, byte)
    }

    pub fn i2c_receive(&mut self, bus: u32, address: u8) -> u8 {
        host::i2c_bus::receive(bus, address)
    }

    pub fn i2c_nack(&mut self, bus: u32, address: u8) {
        host::i2c_bus::nack(bus, address);
    }

    pub fn i2c_stop(&mut self, bus: u32, address: u8) {
        host::i2c_bus::stop(bus, address);
    }

    pub fn isa_dma_take(&mut self, bus: u32, channel: u8, length: u32) -> Vec<u8> {
        host::isa_dma_bus::take(bus, channel, length)
    }

    pub fn isa_dma_give(&mut self, bus: u32, channel: u8, data: &[u8]) -> u32 {
        host::isa_dma_bus::give(bus, channel, data)
    }

    pub fn isa_dma_terminal_count(&mut self, bus: u32, channel: u8) {
        host::isa_dma_bus::terminal_count(bus, channel);
    }

    pub fn dma_load(&mut self, address: u64, size: u8) -> u64 {
        host::dma::load(address, size)
    }

    pub fn dma_read(&mut self, address: u64, length: u32) -> Vec<u8> {
        host::dma::read(address, length)
    }

    pub fn dma_write(&mut self, address: u64, data: &[u8]) {
        host::dma::write(address, data);
    }

    pub fn dma_message(&mut self, address: u64, data: u32) {
        host::dma::message(address, data);
    }

    pub fn memory_load(&mut self, memory: u32, offset: u64, size: u8) -> u64 {
        host::memories::load(memory, offset, size)
    }

    pub fn memory_store(&mut self, memory: u32, offset: u64, size: u8, value: u64) {
        host::memories::store(memory, offset, size, value);
    }

    pub fn memory_read(&mut self, memory: u32, offset: u64, length: u32) -> Vec<u8> {
        host::memories::read(memory, offset, length)
    }

    pub fn memory_write(&mut self, memory: u32, offset: u64, data: &[u8]) {
        host::memories::write(memory, offset, data);
    }

    pub fn file_count(&mut self) -> u32 {
        host::files::count()
    }

    pub fn file_name(&mut self, file: u32) -> String {
        host::files::name(file)
    }

    pub fn file_size(&mut self, file: u32) -> u64 {
        host::files::size(file)
    }

    pub fn file_load(&mut self, file: u32, offset: u64, size: u8) -> u64 {
        host::files::load(file, offset, size)
    }

    pub fn file_to_memory(&mut self, file: u32, offset: u64, address: u64, length: u32) {
        host::files::copy_to_memory(file, offset, address, length);
    }

    pub fn drive_read(&mut self, drive: u32, tag: u32, offset: u64, length: u32) {
        host::storage::read(drive, tag, offset, length);
    }

    pub fn drive_write(&mut self, drive: u32, tag: u32, offset: u64, data: &[u8]) {
        host::storage::write(drive, tag, offset, data);
    }

    pub fn drive_to_memory(&mut self, drive: u32, tag: u32, offset: u64, pieces: &[Piece]) {
        host::storage::read_to_memory(drive, tag, offset, pieces);
    }

    pub fn drive_from_memory(&mut self, drive: u32, tag: u32, offset: u64, pieces: &[Piece]) {
        host::storage::write_from_memory(drive, tag, offset, pieces);
    }

    pub fn drive_flush(&mut self, drive: u32, tag: u32) {
        host::storage::flush(drive, tag);
    }

    pub fn drive_tray(&mut self, drive: u32, open: bool) {
        host::storage::tray(drive, open);
    }

    pub fn drive_lock(&mut self, drive: u32, locked: bool) {
        host::storage::lock(drive, locked);
    }
}
