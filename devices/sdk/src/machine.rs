//! The machine a device runs in, as a native build sees it.

use crate::wit::{Level, Mode, Nanoseconds, Piece, Request, WakeupReason};

/// What a device may do, one method for each imported function of the contract;
/// the WIT package says what each means. A native build has no host to call; in
/// a unit test the machine is `fake::Fake`.
pub trait Machine {
    /// `lines.set`
    fn set_line(&mut self, line: u32, level: bool);

    /// `regions.map`
    fn map(&mut self, region: u32, base: u64, priority: u8);
    /// `regions.unmap`
    fn unmap(&mut self, region: u32);

    /// `timers.arm`
    fn arm(&mut self, timer: u32, deadline: Nanoseconds);
    /// `timers.disarm`
    fn disarm(&mut self, timer: u32);

    /// `log.write`
    fn log(&mut self, level: Level, message: &str);

    /// `power.ask`
    fn ask_power(&mut self, request: Request);
    /// `power.exit`
    fn exit(&mut self, status: u8);
    /// `power.enable-wakeup`
    fn enable_wakeup(&mut self, reason: WakeupReason, enabled: bool);
    /// `power.wake`
    fn wake(&mut self, reason: WakeupReason);

    /// `streams.put`
    fn put(&mut self, stream: u32, byte: u8);
    /// `streams.ready`
    fn ready(&mut self, stream: u32);

    /// `ram-windows.set`
    fn set_window(&mut self, window: u32, mode: Mode);

    /// `pci-bus.read`
    fn pci_read(&mut self, bus: u32, devfn: u8, offset: u16, size: u8) -> u32;
    /// `pci-bus.write`
    fn pci_write(&mut self, bus: u32, devfn: u8, offset: u16, size: u8, value: u32);

    /// `i2c-bus.start`
    fn i2c_start(&mut self, bus: u32, address: u8, read: bool) -> bool;
    /// `i2c-bus.send`
    fn i2c_send(&mut self, bus: u32, address: u8, byte: u8) -> bool;
    /// `i2c-bus.receive`
    fn i2c_receive(&mut self, bus: u32, address: u8) -> u8;
    /// `i2c-bus.nack`
    fn i2c_nack(&mut self, bus: u32, address: u8);
    /// `i2c-bus.stop`
    fn i2c_stop(&mut self, bus: u32, address: u8);

    /// `isa-dma-bus.take`
    fn isa_dma_take(&mut self, bus: u32, channel: u8, length: u32) -> Vec<u8>;
    /// `isa-dma-bus.give`
    fn isa_dma_give(&mut self, bus: u32, channel: u8, data: &[u8]) -> u32;
    /// `isa-dma-bus.terminal-count`
    fn isa_dma_terminal_count(&mut self, bus: u32, channel: u8);

    /// `dma.load`
    fn dma_load(&mut self, address: u64, size: u8) -> u64;
    /// `dma.read`
    fn dma_read(&mut self, address: u64, length: u32) -> Vec<u8>;
    /// `dma.write`
    fn dma_write(&mut self, address: u64, data: &[u8]);
    /// `dma.message`
    fn dma_message(&mut self, address: u64, data: u32);

    /// `memories.load`
    fn memory_load(&mut self, memory: u32, offset: u64, size: u8) -> u64;
    /// `memories.store`
    fn memory_store(&mut self, memory: u32, offset: u64, size: u8, value: u64);
    /// `memories.read`
    fn memory_read(&mut self, memory: u32, offset: u64, length: u32) -> Vec<u8>;
    /// `memories.write`
    fn memory_write(&mut self, memory: u32, offset: u64, data: &[u8]);

    /// `files.count`
    fn file_count(&mut self) -> u32;
    /// `files.name`
    fn file_name(&mut self, file: u32) -> String;
    /// `files.size`
    fn file_size(&mut self, file: u32) -> u64;
    /// `files.load`
    fn file_load(&mut self, file: u32, offset: u64, size: u8) -> u64;
    /// `files.copy-to-memory`
    fn file_to_memory(&mut self, file: u32, offset: u64, address: u64, length: u32);

    /// `storage.read`
    fn drive_read(&mut self, drive: u32, tag: u32, offset: u64, length: u32);
    /// `storage.write`
    fn drive_write(&mut self, drive: u32, tag: u32, offset: u64, data: &[u8]);
    /// `storage.read-to-memory`
    fn drive_to_memory(&mut self, drive: u32, tag: u32, offset: u64, pieces: &[Piece]);
    /// `storage.write-from-memory`
    fn drive_from_memory(&mut self, drive: u32, tag: u32, offset: u64, pieces: &[Piece]);
    /// `storage.flush`
    fn drive_flush(&mut self, drive: u32, tag: u32);
    /// `storage.tray`
    fn drive_tray(&mut self, drive: u32, open: bool);
    /// `storage.lock`
    fn drive_lock(&mut self, drive: u32, locked: bool);
}
