//! One channel's half of the bus-master interface.

use bitfield_struct::bitfield;

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
    /// Where the next descriptor is, whether there is one, and address and
    /// bytes left of the one in use.
    pub(crate) current: [u32; 4],
    /// Where a transfer that failed is to go on: sector, sectors and drive.
    pub(crate) retry: (i64, u32, u8),
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

    /// Writes `size` bytes of `value`.
    pub(crate) fn write(&mut self, offset: u64, size: u8, value: u64) {
        match (offset, size) {
            (TABLE.., _) => {
                let mut bytes = self.table.to_le_bytes();
                let written = value.to_le_bytes();
                let part = bytes.iter_mut().skip((offset - TABLE) as usize).zip(written);
                part.take(size.into()).for_each(|(byte, new)| *byte = new);
                self.table = u32::from_le_bytes(bytes) & !3;
            }
            (COMMAND, 1) => self.write_command(Command::from_bits(value as u8)),
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
    }

    /// Started without a command to a drive that would move data, the bus
    /// master stays active until software stops it.
    fn write_command(&mut self, written: Command) {
        if written.start() != self.command.start() {
            self.status.set_active(written.start());
            if written.start() {
                self.current[0] = self.table;
            }
        }
        self.command =
            Command::new().with_start(written.start()).with_write_memory(written.write_memory());
    }
}
