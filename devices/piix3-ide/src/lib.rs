//! Intel PIIX3 (82371SB), function 1: the IDE controller of the PC, with two
//! channels at the ports of the AT and a bus-master interface. QEMU's
//! `piix3-ide`.
//!
//! Data sheets: Intel 82371FB (PIIX) and 82371SB (PIIX3) PCI ISA IDE Xcelerator
//! (order number 290550); Programming Interface for Bus Master IDE Controller,
//! revision 1.0; ATA-4 (T13/1153D) for the registers of a channel.
//!
//! Modelled: the configuration space, the registers of both channels and of
//! both halves of the bus-master interface, and what a channel answers that
//! nothing is attached to. The timing registers hold what is written and mean
//! nothing, as in QEMU, which decodes the channels' ports whatever they say.
//!
//! No drive can be attached yet. A saved state from where one is attached is
//! taken, and what it says of the drive is kept and saved again; a command in
//! progress is refused.

mod bus_master;
mod channel;
mod command;
mod drive;
mod ports;
mod state;
#[cfg(test)]
mod tests;

use southbridge_sdk::describe::{aligned, configuration, device, output, ports as port_region};
use southbridge_sdk::pci::{Bar, DEFAULT_SUBSYSTEM, Function, Identity, offset};
use southbridge_sdk::state::Sections;
use southbridge_sdk::wit::{AccessSizes, Attachment, Description};
use southbridge_sdk::{Context, Device, Properties};

use channel::{Channel, NOTHING_ATTACHED};

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
            ..device("piix3-ide", env!("CARGO_PKG_VERSION"), summary, Attachment::Pci)
        }
    }

    fn configure(_properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        let bar = Bar::ports(BUS_MASTER, BUS_MASTER_SIZE);
        let mut function = Function::new(IDENTITY).with_bar(BMIBA, bar);
        function.registers_mut().set(offset::STATUS, 2, STATUS);
        for (region, port) in COMMAND_BLOCKS.into_iter().chain(CONTROL_BLOCKS) {
            cx.map(region, port, 0);
        }
        Ok(Self { function, channels: [Channel::new(0), Channel::new(1)] })
    }

    /// The timing registers keep what they have, as in QEMU.
    fn reset(&mut self, cx: &mut Context<'_>) {
        self.function.reset(cx);
        self.channels.iter_mut().for_each(Channel::reset);
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
                if region < CONTROL_BLOCKS[0].0 {
                    ports::read(8, offset, size, |at| channel.read(cx, at))
                } else {
                    ports::read(1, offset, size, |_| NOTHING_ATTACHED)
                }
            }
        }
    }

    fn io_write(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, size: u8, value: u64) {
        match region {
            CONFIGURATION => self.function.write(cx, offset, size, value),
            BUS_MASTER => {
                let channel = &mut self.channels[usize::from(offset >= 8)];
                channel.bus_master.write(offset & 7, size, value);
            }
            _ => {
                let channel = &mut self.channels[(region & 1) as usize];
                if region < CONTROL_BLOCKS[0].0 {
                    ports::write(8, offset, size, value, |at, byte| channel.write(cx, at, byte));
                } else {
                    ports::write(1, offset, size, value, |_, byte| channel.control(cx, byte));
                }
            }
        }
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        state::declare(self, sections);
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        self.function.loaded(cx);
        self.channels.iter().for_each(|channel| channel.drive_line(cx));
        Ok(())
    }
}

southbridge_sdk::export!(Piix3Ide);
