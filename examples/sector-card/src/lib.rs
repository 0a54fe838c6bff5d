//! A PCI card that moves sectors of 512 bytes between an image and the guest's memory.
//!
//! Registers of 32 bits in memory, by their offset from the first base address:
//!
//! | offset | name    | read                           | write                          |
//! |--------|---------|--------------------------------|--------------------------------|
//! | 0x00   | SECTOR  | the first sector               | the same                       |
//! | 0x04   | ADDRESS | where in the guest's memory    | the same                       |
//! | 0x08   | COUNT   | how many sectors               | the same                       |
//! | 0x0c   | COMMAND | the last command               | 1 reads, 2 writes, 3 flushes   |
//! | 0x10   | STATUS  | see [`Status`]                 | ones acknowledge DONE, FAILED  |
//! | 0x14   | SECTORS | how many the image has         | nothing                        |
//!
//! The card asserts INTA# while DONE is set. While it is BUSY, writes to the other
//! registers do nothing.

mod status;
#[cfg(test)]
mod tests;

use southbridge_sdk::pci::{Bar, Function, Identity, command, offset};
use southbridge_sdk::state::{Condition, Sections, Shape};
use southbridge_sdk::wit::{Attachment, Description, Failure, Medium, Piece};
use southbridge_sdk::{Context, Device, Properties, StorageEvents, describe};

use status::Status;

// The numbers of what `describe` lists, by their position there.
const CONFIGURATION: u32 = 0;
const REGISTERS: u32 = 1;
const INTA: u32 = 0;
const DISK: u32 = 0;

const SIZE: u32 = 0x20;

const SECTOR: u64 = 0x00;
const ADDRESS: u64 = 0x04;
const COUNT: u64 = 0x08;
const COMMAND: u64 = 0x0c;
const STATUS: u64 = 0x10;
const SECTORS: u64 = 0x14;

const READ: u32 = 1;
const WRITE: u32 = 2;
const FLUSH: u32 = 3;

/// Bytes of a sector.
const BYTES: u64 = 512;

/// The most sectors of a command.
const MOST: u32 = 128;

/// There is one request at a time, so that one mark is enough.
const TAG: u32 = 0;

/// Nobody has registered this vendor; QEMU uses it for devices of its own, too.
const IDENTITY: Identity = Identity {
    vendor: 0x1234,
    device: 0x5ec7,
    revision: 1,
    // Mass storage, of no kind that there is a standard for.
    class: 0x01_80_00,
    subsystem: (0x1234, 0x5ec7),
};

/// The card.
pub struct SectorCard {
    function: Function,
    sector: u32,
    address: u32,
    count: u32,
    command: u32,
    status: Status,
    /// What is in the drive. The host tells it, so that it is no part of the state.
    medium: Option<Medium>,
}

impl Device for SectorCard {
    fn describe() -> Description {
        let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        let word = describe::aligned(4, 4);
        Description {
            regions: vec![
                describe::configuration(),
                describe::memory("registers", SIZE.into(), word, word),
            ],
            lines: vec![describe::output("inta")],
            drives: vec!["disk".into()],
            ..describe::device(name, version, env!("CARGO_PKG_DESCRIPTION"), Attachment::Pci)
        }
    }

    fn configure(_properties: &Properties, _cx: &mut Context<'_>) -> Result<Self, String> {
        let function = Function::new(IDENTITY)
            .with_bar(0, Bar::memory(REGISTERS, SIZE, false))
            .with_inta(INTA);
        Ok(Self {
            function,
            sector: 0,
            address: 0,
            count: 0,
            command: 0,
            status: Status::default(),
            medium: None,
        })
    }

    fn reset(&mut self, cx: &mut Context<'_>) {
        (self.sector, self.address, self.count, self.command) = (0, 0, 0, 0);
        self.status = Status::default();
        self.function.reset(cx);
    }

    fn io_read(&mut self, _cx: &mut Context<'_>, region: u32, offset: u64, size: u8) -> u64 {
        let value = match (region, offset) {
            (CONFIGURATION, _) => return self.function.read(offset, size),
            (_, SECTOR) => self.sector,
            (_, ADDRESS) => self.address,
            (_, COUNT) => self.count,
            (_, COMMAND) => self.command,
            (_, STATUS) => self.status.bits(),
            (_, SECTORS) => u32::try_from(self.sectors()).unwrap_or(u32::MAX),
            _ => 0,
        };
        value.into()
    }

    fn io_write(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, size: u8, value: u64) {
        let word = value as u32;
        match (region, offset) {
            (CONFIGURATION, _) => self.function.write(cx, offset, size, value),
            (_, STATUS) => {
                self.status.acknowledge(word);
                self.function.set_interrupt(cx, self.status.done);
            }
            _ if self.status.busy => {}
            (_, SECTOR) => self.sector = word,
            (_, ADDRESS) => self.address = word,
            (_, COUNT) => self.count = word,
            (_, COMMAND) => self.begin(cx, word),
            _ => {}
        }
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        // Without `..`, so that no field can be forgotten.
        let Self { function, sector, address, count, command, status, medium: _ } = self;
        // The host waits for all requests before it saves a device.
        let Status { busy: _, done, failed } = status;
        sections.section(Shape::new("sector-card", 1, 1), Condition::ALWAYS, |f| {
            function.state(f, "parent_obj");
            f.u32("sector", sector);
            f.u32("address", address);
            f.u32("count", count);
            f.u32("command", command);
            f.bool("done", done);
            f.bool("failed", failed);
        });
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        // A saved state may come from anybody: what does not go together is refused.
        if self.status.failed && !self.status.done {
            return Err("failed is set and done is not".into());
        }
        self.function.loaded(cx);
        self.function.set_interrupt(cx, self.status.done);
        Ok(())
    }
}

impl StorageEvents for SectorCard {
    fn medium_changed(&mut self, _cx: &mut Context<'_>, _drive: u32, medium: Option<Medium>) {
        self.medium = medium;
    }

    fn completed(
        &mut self,
        cx: &mut Context<'_>,
        _drive: u32,
        _tag: u32,
        outcome: Result<Vec<u8>, Failure>,
    ) {
        self.end(cx, outcome.is_err());
    }
}

impl SectorCard {
    /// How many sectors the image has.
    fn sectors(&self) -> u64 {
        self.medium.map_or(0, |medium| medium.size / BYTES)
    }

    /// The guest's memory that a command moves. None if the card is no bus master, or the
    /// image does not have these sectors.
    fn piece(&self) -> Option<Piece> {
        let is_master = self.function.read(offset::COMMAND as u64, 2) & command::MASTER != 0;
        let end = u64::from(self.sector) + u64::from(self.count);
        let fits = (1..=MOST).contains(&self.count) && end <= self.sectors();
        let piece = || Piece { address: self.address.into(), length: self.count * BYTES as u32 };
        (is_master && fits).then(piece)
    }

    /// Begins a command. One that cannot be has failed at once.
    fn begin(&mut self, cx: &mut Context<'_>, command: u32) {
        self.command = command;
        self.status = Status { busy: true, ..Status::default() };
        self.function.set_interrupt(cx, false);
        let offset = u64::from(self.sector) * BYTES;
        match (command, self.piece()) {
            (READ, Some(piece)) => cx.drive_to_memory(DISK, TAG, offset, &[piece]),
            (WRITE, Some(piece)) => cx.drive_from_memory(DISK, TAG, offset, &[piece]),
            (FLUSH, _) => cx.drive_flush(DISK, TAG),
            _ => self.end(cx, true),
        }
    }

    fn end(&mut self, cx: &mut Context<'_>, failed: bool) {
        self.status = Status { busy: false, done: true, failed };
        self.function.set_interrupt(cx, true);
    }
}

southbridge_sdk::export!(SectorCard, storage_events);
