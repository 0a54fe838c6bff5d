//! QEMU's standard VGA on PCI (1234:1111): a VGA as IBM's technical reference has
//! it, with the display interface of Bochs for modes beyond, as QEMU's `VGA`.
//!
//! Modelled: all registers that guests can read back; the maps with their read and
//! write modes; 16 MiB of video memory; text, and graphics of 2, 4, 8, 15, 16, 24
//! and 32 bits; the monitor's data. The vertical retrace is QEMU's simple one:
//! each look at the status finds it changed.
//!
//! Not modelled, as in QEMU: blinking characters, panning, protection of the
//! palette, and the video memory's timing. The text cursor is shown without
//! blinking. Not modelled, unlike QEMU: other sizes of the video memory.

mod core;
mod description;
mod dispi;
mod display;
mod edid;
mod maps;
mod mmio;
mod ports;
mod regs;
mod state;
mod window;

use southbridge_sdk::pci::{Bar, DEFAULT_SUBSYSTEM, Function, Identity};
use southbridge_sdk::state::Sections;
use southbridge_sdk::wit::{Description, Frame};
use southbridge_sdk::{Context, Device, Display, Properties};

use crate::core::Core;
use description::{
    CONFIGURATION, DISPI, FIRMWARE, FRAMEBUFFER, MMIO, MMIO_SIZE, Options, ROM_SIZE, VGA_PORTS,
    VRAM_SIZE, WINDOW, group_size,
};

/// Registers at fixed addresses.
const FIXED: u8 = 0;
/// The window lies above the RAM at the same addresses.
const ABOVE_RAM: u8 = 1;

/// The device.
#[derive(Clone, Debug)]
pub struct Vga {
    options: Options,
    function: Function,
    core: Core,
}

impl Device for Vga {
    fn describe() -> Description {
        description::describe()
    }

    fn configure(properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        let options = Options::new(properties)?;
        let identity = Identity {
            vendor: 0x1234,
            device: 0x1111,
            revision: 2,
            class: 0x03_0000,
            subsystem: DEFAULT_SUBSYSTEM,
        };
        let function = Function::new(identity)
            .with_bar(0, Bar::memory(FRAMEBUFFER, VRAM_SIZE as u32, true))
            .with_bar(2, Bar::memory(MMIO, MMIO_SIZE as u32, false))
            .with_rom(FIRMWARE, ROM_SIZE as u32);
        for (region, port) in VGA_PORTS {
            cx.map(region, port.into(), FIXED);
        }
        cx.map(DISPI, 0x1ce, FIXED);
        cx.map(WINDOW, 0xa_0000, ABOVE_RAM);
        let core = Core { word_modes: options.word_modes, ..Core::new() };
        Ok(Self { options, function, core })
    }

    fn reset(&mut self, cx: &mut Context<'_>) {
        self.function.reset(cx);
        // As in QEMU, the latches hold what was read last.
        let Core { latch, word_modes, big_endian, .. } = self.core;
        // Which QEMU 10.0 leaves as it is, and 7.2 does not.
        let big_endian = big_endian && word_modes;
        self.core = Core { latch, word_modes, big_endian, ..Core::new() };
    }

    fn io_read(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, size: u8) -> u64 {
        match region {
            CONFIGURATION => self.function.read(offset, size),
            MMIO => self.mmio_read(offset, size),
            WINDOW => self.core.window_read(cx, offset, size),
            DISPI => self.dispi_port_read(offset, size),
            _ => self.ports_read(region, offset, size),
        }
    }

    fn io_write(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, size: u8, value: u64) {
        match region {
            CONFIGURATION => self.function.write(cx, offset, size, value),
            MMIO => self.mmio_write(cx, offset, size, value),
            WINDOW => self.core.window_write(cx, offset, size, value),
            DISPI => self.dispi_port_write(cx, offset, size, value),
            _ => self.ports_write(region, offset, size, value),
        }
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        self.declare(sections);
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        self.core.dispi.check()?;
        self.function.loaded(cx);
        Ok(())
    }
}

impl Display for Vga {
    fn picture(&mut self, cx: &mut Context<'_>) -> Frame {
        display::picture(&self.core, cx)
    }

    fn text(&mut self, cx: &mut Context<'_>) -> Option<Vec<String>> {
        display::text(&self.core, cx)
    }
}

impl Vga {
    /// Reads ports: single bytes or two in a group. Nothing answers to four.
    fn ports_read(&mut self, region: u32, offset: u64, size: u8) -> u64 {
        let Some(port) = port(region, offset) else { return u64::MAX };
        match size {
            1 => self.core.port_read(port).into(),
            2 => {
                let low = self.core.port_read(port);
                let next = offset + 1 < group_size(region);
                let high = if next { self.core.port_read(port + 1) } else { 0xff };
                u16::from_le_bytes([low, high]).into()
            }
            _ => u64::MAX,
        }
    }

    fn ports_write(&mut self, region: u32, offset: u64, size: u8, value: u64) {
        let Some(port) = port(region, offset) else { return };
        if size > 2 {
            return;
        }
        self.core.port_write(port, value as u8);
        if size == 2 && offset + 1 < group_size(region) {
            self.core.port_write(port + 1, (value >> 8) as u8);
        }
    }
}

/// The port at an offset in a group; none if the group has no such port.
fn port(region: u32, offset: u64) -> Option<u16> {
    let (_, first) = VGA_PORTS.into_iter().find(|&(group, _)| group == region)?;
    let offset = u16::try_from(offset).ok()?;
    (u64::from(offset) < group_size(region)).then_some(first + offset)
}

southbridge_sdk::export!(Vga, display);
