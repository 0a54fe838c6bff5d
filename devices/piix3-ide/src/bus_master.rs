//! One channel's half of the bus-master interface.

use bitfield_struct::bitfield;
use southbridge_sdk::Context;
use southbridge_sdk::wit::Piece;

/// Registers, as offsets in a channel's half.
const COMMAND: u64 = 0;
const STATUS: u64 = 2;
const TABLE: u64 = 4;

/// BMICOM, the command register.
#[bitfield(u8)]
pub(crate) struct Command {
    /// SSBM: start or stop.
    pub(crate) start: bool,
    #[bits(2)]
    __: u8,
    /// RWCON: the bus master writes memory.
    pub(crate) write_memory: bool,
    #[bits(4)]
    __: u8,
}

/// BMISTA, the status register.
#[bitfield(u8)]
pub(crate) struct Status {
    /// BMIDEA: a transfer is going on.
    pub(crate) active: bool,
    pub(crate) error: bool,
    /// IDEINTS: the channel has raised its interrupt.
    pub(crate) interrupt: bool,
    #[bits(2)]
    __: u8,
    /// DMA0CAP and DMA1CAP, which software sets for itself.
    #[bits(2)]
    pub(crate) capable: u8,
    __: bool,
}

/// Bits of the status register that a saved state has in a subsection: QEMU
/// once kept the state of a failed transfer there.
pub(crate) const STATUS_IN_SUBSECTION: u8 = 0x78;

/// The registers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BusMaster {
    pub(crate) command: Command,
    pub(crate) status: Status,
    /// BMIDTP, where the descriptor table is.
    pub(crate) table: u32,
    /// Where the next descriptor is, whether there is none, and address and
    /// bytes left of the one in use.
    pub(crate) current: [u32; 4],
    /// The table describes more than the command moves.
    pub(crate) longer: bool,
    /// The function may reach memory (PCICMD, BME).
    pub(crate) enabled: bool,
}

/// The end of a table (EOT), in a descriptor's second word.
const END: u32 = 1 << 31;
/// Bytes after which a table without an end is over.
const TABLE_SIZE: u32 = 4096;
/// An address where no memory is: for bytes that go nowhere.
const NOWHERE: u64 = 0xffff_ffff_0000_0000;

/// Pieces of memory that descriptors name.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) pieces: Vec<Piece>,
    /// Their length.
    pub(crate) bytes: u64,
}

impl Gathered {
    fn add(&mut self, address: u64, length: u32) {
        self.bytes += u64::from(length);
        if let Some(last) = self.pieces.last_mut()
            && last.address + u64::from(last.length) == address
            && let Some(sum) = last.length.checked_add(length)
        {
            last.length = sum;
        } else {
            self.pieces.push(Piece { address, length });
        }
    }

    /// Adds bytes that go nowhere, so that whole sectors can be moved.
    pub(crate) fn fill_sector(&mut self) {
        let rest = (self.bytes % 512) as u32;
        if rest != 0 {
            self.pieces.push(Piece { address: NOWHERE, length: 512 - rest });
        }
    }
}

impl BusMaster {
    /// Reads `size` bytes; command and status answer to single bytes only.
    pub(crate) fn read(&self, offset: u64, size: u8) -> u64 {
        let ones = u64::MAX >> (64 - 8 * u32::from(size.clamp(1, 8)));
        match (offset, size) {
            (TABLE.., _) => u64::from(self.table) >> (8 * (offset - TABLE)) & ones,
            (COMMAND, 1) => self.command.into_bits().into(),
            (STATUS, 1) => self.status.into_bits().into(),
            _ => ones,
        }
    }

    /// Writes `size` bytes of `value`; returns whether data may move from now on.
    pub(crate) fn write(&mut self, offset: u64, size: u8, value: u64) -> bool {
        match (offset, size) {
            (TABLE.., _) => {
                let mut bytes = self.table.to_le_bytes();
                let written = value.to_le_bytes();
                let part = bytes.iter_mut().skip((offset - TABLE) as usize).zip(written);
                part.take(size.into()).for_each(|(byte, new)| *byte = new);
                self.table = u32::from_le_bytes(bytes) & !3;
            }
            (COMMAND, 1) => return self.write_command(Command::from_bits(value as u8)),
            (STATUS, 1) => {
                let written = Status::from_bits(value as u8);
                self.status = Status::new()
                    .with_active(self.status.active())
                    .with_error(self.status.error() && !written.error())
                    .with_interrupt(self.status.interrupt() && !written.interrupt())
                    .with_capable(written.capable());
            }
            _ => {}
        }
        false
    }

    /// A system reset.
    pub(crate) fn reset(&mut self) {
        *self = Self { enabled: self.enabled, ..Self::default() };
    }

    /// Started without a command to a drive that would move data, the bus
    /// master stays active until software stops it.
    fn write_command(&mut self, written: Command) -> bool {
        let mut starts = false;
        if written.start() != self.command.start() {
            starts = written.start() && !self.status.active();
            self.status.set_active(written.start());
            if written.start() {
                self.current[0] = self.table;
            }
        }
        self.command =
            Command::new().with_start(written.start()).with_write_memory(written.write_memory());
        starts
    }

    /// The table is to be walked from its beginning.
    pub(crate) const fn rewind(&mut self) {
        self.current = [self.table, 0, 0, 0];
    }

    /// A command begins: no descriptor is in use.
    pub(crate) const fn forget_descriptor(&mut self) {
        self.current = [self.current[0], 0, 0, 0];
    }

    /// Makes sure that a descriptor is in use; returns whether there is one.
    fn next_descriptor(&mut self, cx: &mut Context<'_>) -> bool {
        let [next, last, address, left] = &mut self.current;
        if *left != 0 {
            return true;
        }
        if *last != 0 || next.wrapping_sub(self.table) >= TABLE_SIZE {
            return false;
        }
        let raw = if self.enabled { cx.dma_load(u64::from(*next), 8) } else { u64::MAX };
        // Where no memory is, QEMU reads zeros.
        let raw = if raw == u64::MAX { 0 } else { raw };
        *next = next.wrapping_add(8);
        let (low, high) = (raw as u32, (raw >> 32) as u32);
        *address = low;
        *left = match high & 0xfffe {
            0 => 0x1_0000,
            bytes => bytes,
        };
        *last = high & END;
        true
    }

    /// Takes up to `limit` bytes from the table.
    pub(crate) fn gather(&mut self, cx: &mut Context<'_>, limit: u64) -> Gathered {
        let mut gathered = Gathered::default();
        while gathered.bytes < limit && self.next_descriptor(cx) {
            let [_, _, address, left] = &mut self.current;
            let most = u32::try_from(limit - gathered.bytes).unwrap_or(u32::MAX);
            let length = most.min(*left);
            let at = if self.enabled { u64::from(*address) } else { NOWHERE };
            gathered.add(at, length);
            *address = address.wrapping_add(length);
            *left -= length;
        }
        gathered
    }

    /// Takes the whole table, up to `limit` bytes of what it names.
    pub(crate) fn gather_all(&mut self, cx: &mut Context<'_>, limit: u64) -> Gathered {
        let gathered = self.gather(cx, limit);
        let mut longer = false;
        while self.next_descriptor(cx) {
            longer = true;
            let [_, _, address, left] = &mut self.current;
            *address = address.wrapping_add(*left);
            *left = 0;
        }
        self.longer = longer;
        gathered
    }
}
