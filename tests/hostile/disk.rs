//! The disk, as a guest's driver uses it: the primary channel's first drive.

use std::thread;
use std::time::{Duration, Instant};

use super::machine::Machine;

pub(crate) const SECTOR: usize = 512;
/// Of the disks of the tests.
pub(crate) const SECTORS: u32 = 4096;

/// Where the tests have their descriptors.
pub(crate) const TABLE: u32 = 0x1000;
/// Where they have their data.
pub(crate) const DATA: u32 = 0x20_0000;
/// EOT of a descriptor.
pub(crate) const END: u32 = 1 << 31;

/// Commands (ATA-6, 8).
pub(crate) mod command {
    pub(crate) const READ_SECTORS: u8 = 0x20;
    pub(crate) const WRITE_SECTORS: u8 = 0x30;
    pub(crate) const READ_DMA: u8 = 0xc8;
    pub(crate) const READ_DMA_EXT: u8 = 0x25;
    pub(crate) const WRITE_DMA: u8 = 0xca;
    pub(crate) const WRITE_DMA_EXT: u8 = 0x35;
    pub(crate) const FLUSH_CACHE: u8 = 0xe7;
}

/// Bits of the status.
pub(crate) const BSY: u8 = 0x80;
pub(crate) const DRQ: u8 = 0x08;
const ALTERNATE_STATUS: u16 = 0x3f6;

/// Where the bus master's registers are.
const BUS_MASTER: u16 = 0xc000;

/// A disk of which each sector is full of its number.
pub(crate) fn numbered(sectors: u32) -> Vec<u8> {
    (0..sectors).flat_map(|number| number.to_le_bytes().repeat(SECTOR / 4)).collect()
}

/// What a guest writes: different in each sector and on each side of it.
pub(crate) fn pattern(sectors: usize) -> Vec<u8> {
    (1..=251).cycle().take(sectors * SECTOR).collect()
}

impl Machine {
    /// Gives the bus master its place and its right to memory.
    pub(crate) fn enable_bus_master(&mut self) {
        self.out32(0xcf8, 0x8000_0920);
        self.out32(0xcfc, BUS_MASTER.into());
        self.out32(0xcf8, 0x8000_0904);
        self.out16(0xcfc, 5);
    }

    /// Writes a command with a 28-bit address.
    pub(crate) fn command(&mut self, command: u8, sector: u32, count: u8) {
        let [low, middle, high, top] = sector.to_le_bytes();
        let registers = [(6, 0xe0 | top & 15), (2, count), (3, low), (4, middle), (5, high)];
        for (register, value) in registers.into_iter().chain([(7, command)]) {
            self.out8(0x1f0 + register, value);
        }
    }

    /// Writes a command with a 48-bit address.
    pub(crate) fn command_ext(&mut self, command: u8, sector: u64, count: u16) {
        let [s0, s1, s2, s3, s4, s5, ..] = sector.to_le_bytes();
        let [low, high] = count.to_le_bytes();
        let before = [(6, 0xe0), (2, high), (3, s3), (4, s4), (5, s5)];
        let after = [(2, low), (3, s0), (4, s1), (5, s2), (7, command)];
        for (register, value) in before.into_iter().chain(after) {
            self.out8(0x1f0 + register, value);
        }
    }

    /// Writes a table of descriptors, and where it is.
    pub(crate) fn table(&mut self, address: u32, descriptors: &[(u32, u32)]) {
        let words = descriptors.iter().flat_map(|&(base, count)| [base, count]);
        let bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        if !bytes.is_empty() {
            self.write(address.into(), &bytes);
        }
        self.out32(BUS_MASTER + 4, address);
    }

    /// Stops the bus master and clears what it says.
    pub(crate) fn stop_bus_master(&mut self) {
        self.out8(BUS_MASTER, 0);
        self.out8(BUS_MASTER + 2, 6);
    }

    /// Starts the bus master, for memory to be written or to be read.
    pub(crate) fn start_bus_master(&mut self, writes_memory: bool) {
        self.out8(BUS_MASTER, if writes_memory { 9 } else { 1 });
    }

    /// Writes sectors by DMA from where the tests have their data, which must be
    /// less than 64 KiB. Does not wait.
    pub(crate) fn begin_write(&mut self, sector: u32, count: u8) {
        self.stop_bus_master();
        self.table(TABLE, &[(DATA, END | (u32::from(count) * SECTOR as u32))]);
        self.command(command::WRITE_DMA, sector, count);
        self.start_bus_master(false);
    }

    /// The same the other way round.
    pub(crate) fn begin_read(&mut self, sector: u32, count: u8) {
        self.stop_bus_master();
        self.table(TABLE, &[(DATA, END | (u32::from(count) * SECTOR as u32))]);
        self.command(command::READ_DMA, sector, count);
        self.start_bus_master(true);
    }

    /// Waits until the drive is neither busy nor moves data.
    pub(crate) fn wait_for_disk(&mut self) {
        self.wait_for_status(BSY | DRQ, 0);
    }

    /// Waits until the drive wants data or has some.
    pub(crate) fn wait_for_data(&mut self) {
        self.wait_for_status(BSY | DRQ, DRQ);
    }

    fn wait_for_status(&mut self, mask: u8, expected: u8) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let status = self.in8(ALTERNATE_STATUS);
            if status & mask == expected {
                return;
            }
            assert!(Instant::now() < deadline, "the disk's status stays {status:#x}");
            thread::sleep(Duration::from_micros(200));
        }
    }

    /// The drive's registers from status to device/head, and the bus master's command
    /// and status.
    pub(crate) fn disk_registers(&mut self) -> String {
        let ports = [0x1f7, 0x1f1, 0x1f2, 0x1f3, 0x1f4, 0x1f5, 0x1f6, BUS_MASTER, BUS_MASTER + 2];
        let values = ports.map(|port| format!("{:02x}", self.in8(port)));
        values.join(" ")
    }

    /// Resets the channel and reads a sector by PIO: what was read, and the registers.
    pub(crate) fn probe_disk(&mut self) -> Vec<String> {
        self.stop_bus_master();
        self.out8(ALTERNATE_STATUS, 4);
        self.out8(ALTERNATE_STATUS, 0);
        self.wait_for_status(BSY, 0);
        let mut said = vec![self.disk_registers()];
        self.command(command::READ_SECTORS, 9, 1);
        self.wait_for_data();
        let words: Vec<u32> = (0..SECTOR / 4).map(|_| self.in32(0x1f0)).collect();
        said.push(format!("{:x} {:x}", words[0], words[SECTOR / 4 - 1]));
        said.push(self.disk_registers());
        said
    }
}
