//! Intel PIIX3 (82371SB), function 1: the IDE controller of the PC, with two
//! channels at the ports of the AT and a bus-master interface. QEMU's
//! `piix3-ide`.
//!
//! Data sheets: Intel 82371FB (PIIX) and 82371SB (PIIX3) PCI ISA IDE Xcelerator
//! (order number 290550); Programming Interface for Bus Master IDE Controller,
//! revision 1.0; ATA-4 (T13/1153D) for the registers of a channel.
//!
//! T13/1321D (ATA/ATAPI-5) and SFF-8090 (MMC) for what is behind them.
//!
//! Modelled: the configuration space, the registers of both channels and of
//! both halves of the bus-master interface, disks and CD-ROM drives with all
//! commands that QEMU's have. The timing registers hold what is written and mean
//! nothing, as in QEMU, which decodes the channels' ports whatever they say.
//!
//! A disk's shape is guessed from its size alone; QEMU also looks at the partition
//! table. What a bus master reads where no memory is goes to a disk as ones.

mod address;
mod ahead;
mod atapi;
mod bus_master;
mod channel;
mod command;
mod dma;
mod drive;
mod identify;
mod media;
mod pio;
mod ports;
mod request;
mod retry;
mod setup;
mod smart;
mod state;
#[cfg(test)]
mod tests;
mod transfer;

use southbridge_sdk::describe::{aligned, configuration, device, output, ports as port_region};
use southbridge_sdk::pci::{
    Bar, DEFAULT_SUBSYSTEM, Function, Identity, command as pci_command, offset,
};
use southbridge_sdk::state::Sections;
use southbridge_sdk::wit::{AccessSizes, Attachment, Description, Failure, Medium};
use southbridge_sdk::{Context, Device, Properties, StorageEvents};

use channel::{Channel, DATA};
use setup::Setup;

/// The regions: configuration space, the bus-master interface, then the
/// command and control blocks of both channels.
const CONFIGURATION: u32 = 0;
const BUS_MASTER: u32 = 1;
const COMMAND_BLOCKS: [(u32, u64); 2] = [(2, 0x1f0), (3, 0x170)];
const CONTROL_BLOCKS: [(u32, u64); 2] = [(4, 0x3f6), (5, 0x376)];

/// BMIBA, the base of the bus-master interface.
const BMIBA: usize = 4;
const BUS_MASTER_SIZE: u32 = 16;

const IDENTITY: Identity = Identity {
    vendor: 0x8086,
    device: 0x7010,
    revision: 0,
    // IDE with a bus master, both channels at the ports of the AT.
    class: 0x01_01_80,
    subsystem: DEFAULT_SUBSYSTEM,
};

/// PCISTS after a reset: fast back-to-back, medium DEVSEL# timing.
const STATUS: u64 = 0x0280;

/// The IDE controller.
#[derive(Debug)]
pub struct Piix3Ide {
    function: Function,
    channels: [Channel; 2],
    /// The guest has begun: media that come now are changes.
    started: bool,
}

impl Device for Piix3Ide {
    fn describe() -> Description {
        let summary = "Intel PIIX3: IDE controller with two channels";
        // QEMU's port lists take an access of any width at any address.
        let any = AccessSizes { unaligned: true, ..aligned(1, 4) };
        let block = |name, size| port_region(name, size, any, any);
        let bus_master = aligned(1, 4);
        Description {
            regions: vec![
                configuration(),
                port_region("bus-master", BUS_MASTER_SIZE.into(), bus_master, bus_master),
                block("primary-command", 8),
                block("secondary-command", 8),
                block("primary-control", 1),
                block("secondary-control", 1),
            ],
            lines: vec![output("primary"), output("secondary")],
            properties: setup::declare(),
            drives: setup::NAMES.map(Into::into).to_vec(),
            ..device("piix3-ide", env!("CARGO_PKG_VERSION"), summary, Attachment::Pci)
        }
    }

    fn configure(properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        let bar = Bar::ports(BUS_MASTER, BUS_MASTER_SIZE);
        let mut function = Function::new(IDENTITY).with_bar(BMIBA, bar);
        function.registers_mut().set(offset::STATUS, 2, STATUS);
        for (region, port) in COMMAND_BLOCKS.into_iter().chain(CONTROL_BLOCKS) {
            cx.map(region, port, 0);
        }
        let channel = |number: u32| {
            let setup = |drive| Setup::read(properties, drive);
            let first = 2 * number as usize;
            Ok::<_, String>(Channel::new(number, [setup(first)?, setup(first + 1)?]))
        };
        let channels = [channel(0)?, channel(1)?];
        Ok(Self { function, channels, started: false })
    }

    /// The timing registers keep what they have, as in QEMU.
    fn reset(&mut self, cx: &mut Context<'_>) {
        self.function.reset(cx);
        self.started = true;
        self.show_master();
        self.channels.iter_mut().for_each(|channel| channel.reset(cx));
    }

    fn io_read(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, size: u8) -> u64 {
        match region {
            CONFIGURATION => self.function.read(offset, size),
            BUS_MASTER => {
                let channel = &self.channels[usize::from(offset >= 8)];
                channel.bus_master.read(offset & 7, size)
            }
            _ => {
                let channel = &mut self.channels[(region & 1) as usize];
                if region >= CONTROL_BLOCKS[0].0 {
                    ports::read(1, offset, size, |_| channel.alternate_status())
                } else if offset == DATA && size > 1 {
                    channel.data_in(cx, size)
                } else {
                    ports::read(8, offset, size, |at| channel.read(cx, at))
                }
            }
        }
    }

    fn io_write(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, size: u8, value: u64) {
        match region {
            CONFIGURATION => {
                self.function.write(cx, offset, size, value);
                self.show_master();
            }
            BUS_MASTER => {
                let channel = &mut self.channels[usize::from(offset >= 8)];
                channel.write_bus_master(cx, offset & 7, size, value);
            }
            _ => {
                let channel = &mut self.channels[(region & 1) as usize];
                if region >= CONTROL_BLOCKS[0].0 {
                    ports::write(1, offset, size, value, |_, byte| channel.control(cx, byte));
                } else if offset == DATA && size > 1 {
                    channel.data_out(cx, size, value);
                } else {
                    ports::write(8, offset, size, value, |at, byte| channel.write(cx, at, byte));
                }
            }
        }
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        state::declare(self, sections);
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        self.function.loaded(cx);
        self.started = true;
        self.show_master();
        self.channels.iter().for_each(|channel| channel.drive_line(cx));
        self.channels.iter_mut().try_for_each(|channel| channel.loaded(cx))
    }
}

impl StorageEvents for Piix3Ide {
    fn medium_changed(&mut self, cx: &mut Context<'_>, drive: u32, medium: Option<Medium>) {
        let started = self.started;
        if let Some(channel) = self.channels.get_mut((drive / 2) as usize) {
            channel.medium_changed(cx, drive & 1 != 0, medium, started);
        }
    }

    fn completed(
        &mut self,
        cx: &mut Context<'_>,
        drive: u32,
        tag: u32,
        outcome: Result<Vec<u8>, Failure>,
    ) {
        if let Some(channel) = self.channels.get_mut((drive / 2) as usize) {
            channel.completed(cx, drive & 1 != 0, tag, outcome);
        }
    }
}

impl Piix3Ide {
    /// Tells the bus masters whether they may reach memory.
    fn show_master(&mut self) {
        let command = self.function.registers().get(offset::COMMAND, 2);
        for channel in &mut self.channels {
            channel.bus_master.enabled = command & pci_command::MASTER != 0;
        }
    }
}

southbridge_sdk::export!(Piix3Ide, storage_events);
