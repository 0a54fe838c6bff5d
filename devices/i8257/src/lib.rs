//! Two Intel 8237A DMA controllers with the page registers, as the PC/AT has them:
//! QEMU's pair of `i8257`.
//!
//! Data sheet: Intel 8237A, "High Performance Programmable DMA Controller"; the
//! page registers: IBM Personal Computer AT Technical Reference.
//!
//! Modelled, as in QEMU: the registers, transfers in both directions and verify
//! transfers, of bytes on channels 0 to 3 and of words on 5 to 7, requests by line
//! and by software, auto-initialization. A transfer takes no time and counts up to
//! its end in one go, whatever its mode (single, block, demand). Not modelled, as
//! in QEMU: transfers from memory to memory, rotating priority, the polarities of
//! the request lines, the cascade as such: all eight channels are equal.
//!
//! A device lowers its request inside the call that ends its transfer; the
//! controller hears of it later. It therefore takes no more than one round of a
//! channel per call: until the device has no more, or to the terminal count. A
//! device that goes on after that raises its request again.

mod controller;
mod regs;
mod state;
#[cfg(test)]
mod tests;
mod transfer;

use southbridge_sdk::describe::{aligned, device, flag, input, isa_dma_bus, ports};
use southbridge_sdk::state::Sections;
use southbridge_sdk::wit::{AccessSizes, Attachment, Description, Region};
use southbridge_sdk::{Context, Device, Properties};

use controller::Controller;

/// The child bus.
const BUS: u32 = 0;

/// What the ports of a region are.
#[derive(Clone, Copy, Debug)]
enum Block {
    Channels,
    Control,
    /// Bits 23 to 16 of the addresses.
    Pages,
    /// Bits 30 to 24, which a PC does not have.
    HighPages,
}

/// The regions: controller, registers, first port and number of ports.
const REGIONS: [(&str, usize, Block, u64, u64); 12] = [
    ("channels0", 0, Block::Channels, 0x00, 8),
    ("control0", 0, Block::Control, 0x08, 8),
    ("channels1", 1, Block::Channels, 0xc0, 16),
    ("control1", 1, Block::Control, 0xd0, 16),
    ("pages0", 0, Block::Pages, 0x81, 3),
    ("page0", 0, Block::Pages, 0x87, 1),
    ("pages1", 1, Block::Pages, 0x89, 3),
    ("page1", 1, Block::Pages, 0x8f, 1),
    ("high-pages0", 0, Block::HighPages, 0x481, 3),
    ("high-page0", 0, Block::HighPages, 0x487, 1),
    ("high-pages1", 1, Block::HighPages, 0x489, 3),
    ("high-page1", 1, Block::HighPages, 0x48f, 1),
];

/// The controllers.
#[derive(Debug)]
pub struct I8257 {
    controllers: [Controller; 2],
}

impl Device for I8257 {
    fn describe() -> Description {
        let summary = "DMA controllers of the PC/AT, with page registers";
        Description {
            properties: vec![flag("high-page-enable", false, "page registers at ports 0x481 on")],
            regions: REGIONS.into_iter().map(region).collect(),
            lines: (0..8).map(|channel| input(format!("dreq{channel}"))).collect(),
            buses: vec![isa_dma_bus("isa-dma")],
            ..device("i8257", env!("CARGO_PKG_VERSION"), summary, Attachment::System)
        }
    }

    fn configure(properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        let has_high_pages = properties.flag("high-page-enable")?;
        for (number, (_, _, block, base, _)) in (0..).zip(REGIONS) {
            if has_high_pages || !matches!(block, Block::HighPages) {
                cx.map(number, base, 0);
            }
        }
        Ok(Self { controllers: [Controller::new(0), Controller::new(1)] })
    }

    fn reset(&mut self, _cx: &mut Context<'_>) {
        self.controllers.iter_mut().for_each(Controller::clear);
    }

    fn io_read(&mut self, _cx: &mut Context<'_>, region: u32, offset: u64, size: u8) -> u64 {
        let Some((number, block, port, end)) = at(region, offset) else { return u64::MAX };
        let controller = &mut self.controllers[number];
        match block {
            Block::Channels => controller.read_channel(offset).into(),
            Block::Control => controller.read_control(offset).into(),
            _ if size > 2 => u64::MAX,
            _ => (port..port + u64::from(size)).rev().fold(0, |value, port| {
                let known = if port < end { controller.page(port, block) } else { None };
                value << 8 | u64::from(known.map_or(0xff, |page| *page))
            }),
        }
    }

    fn io_write(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, size: u8, value: u64) {
        let Some((number, block, port, end)) = at(region, offset) else { return };
        let controller = &mut self.controllers[number];
        match block {
            Block::Channels => controller.write_channel(offset, value as u8),
            Block::Control => controller.write_control(cx, offset, value as u8),
            _ if size > 2 => {}
            _ => {
                let bytes = value.to_le_bytes().into_iter().take(size.into());
                for (port, byte) in (port..end).zip(bytes) {
                    if let Some(page) = controller.page(port, block) {
                        *page = byte;
                    }
                }
            }
        }
    }

    fn line_changed(&mut self, cx: &mut Context<'_>, line: u32, level: bool) {
        let (number, channel) = (line as usize / 4, line as usize % 4);
        if let Some(controller) = self.controllers.get_mut(number) {
            controller.request(cx, channel, level);
        }
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        self.controllers.iter_mut().for_each(|controller| state::declare(controller, sections));
    }

    fn loaded(&mut self, _cx: &mut Context<'_>) -> Result<(), String> {
        Ok(())
    }
}

/// Page registers take bytes and words; a word ends where their ports end.
fn region((name, _, block, _, size): (&str, usize, Block, u64, u64)) -> Region {
    match block {
        Block::Channels | Block::Control => ports(name, size, aligned(1, 4), aligned(1, 1)),
        Block::Pages | Block::HighPages => {
            let sizes = AccessSizes { unaligned: true, ..aligned(1, 4) };
            ports(name, size, sizes, sizes)
        }
    }
}

/// Whose registers are at an offset in a region, the port, and where the region ends.
fn at(region: u32, offset: u64) -> Option<(usize, Block, u64, u64)> {
    let (_, number, block, base, size) = *REGIONS.get(region as usize)?;
    (offset < size).then_some((number, block, base + offset, base + size))
}

southbridge_sdk::export!(I8257);
