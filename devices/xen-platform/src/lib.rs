//! Xen platform device: how the drivers in a Xen guest say that they are there,
//! and have emulated disks and network cards taken away.
//!
//! Its description is Xen's `docs/misc/hvm-emulated-unplug.pandoc`. Modelled as
//! QEMU's xen-platform: fixed ports 0x10 to 0x1f, two base address registers,
//! the log of the guest's drivers, and an interrupt pin that QEMU never asserts.
//! Not modelled: what happens on Xen behind the device, such as the event
//! channels the interrupt is for.

mod log;
mod regs;
mod state;
#[cfg(test)]
mod tests;
mod unplug;

use southbridge_sdk::describe::{aligned, configuration, device, memory, output, ports};
use southbridge_sdk::pci::{Bar, Function, Identity};
use southbridge_sdk::state::Sections;
use southbridge_sdk::wit::{AccessSizes, Attachment, Description};
use southbridge_sdk::{Context, Device, Properties};

use log::Log;
use regs::{FIXED_PORTS, Flags, MAGIC, Unplug, VERSION, bar, fixed};

const CONFIGURATION: u32 = 0;
const FIXED: u32 = 1;
const BAR0: u32 = 2;
const BAR1: u32 = 3;

const INTA: u32 = 0;
const LOG: u32 = 0;

const BAR0_SIZE: u32 = 0x100;
const BAR1_SIZE: u32 = 0x100_0000;

const IDENTITY: Identity = Identity {
    vendor: 0x5853,
    device: 0x0001,
    revision: 1,
    class: 0xff_80_00,
    subsystem: (0x5853, 0x0001),
};

/// The platform device.
pub struct XenPlatform {
    function: Function,
    flags: Flags,
    /// The product the guest's drivers belong to. Nothing reads it.
    product: u16,
    log: Log,
}

impl Device for XenPlatform {
    fn describe() -> Description {
        let summary = "Xen platform device: unplug protocol, flags and guest log";
        let widths = aligned(1, 4);
        let any = AccessSizes { unaligned: true, ..widths };
        Description {
            regions: vec![
                configuration(),
                ports("xen-fixed", 16, any, any),
                ports("xen-pci", BAR0_SIZE.into(), widths, aligned(1, 1)),
                memory("xen-mmio", BAR1_SIZE.into(), widths, widths),
            ],
            lines: vec![output("inta")],
            streams: vec!["log".into()],
            ..device("xen-platform", env!("CARGO_PKG_VERSION"), summary, Attachment::Pci)
        }
    }

    fn configure(_properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        cx.map(FIXED, FIXED_PORTS, 0);
        Ok(Self {
            function: Function::new(IDENTITY)
                .with_bar(0, Bar::ports(BAR0, BAR0_SIZE))
                .with_bar(1, Bar::memory(BAR1, BAR1_SIZE, true))
                .with_inta(INTA),
            flags: Flags::new(),
            product: 0,
            log: Log::new(),
        })
    }

    /// QEMU enables ports and memory once, when it makes the device; the reset
    /// that follows disables them before any guest runs, and this device never
    /// shows them enabled. Product and log stay as they are.
    fn reset(&mut self, cx: &mut Context<'_>) {
        self.function.reset(cx);
        self.flags = Flags::new();
    }

    /// Memory in the second base address register reads as zeros.
    fn io_read(&mut self, _cx: &mut Context<'_>, region: u32, offset: u64, size: u8) -> u64 {
        match region {
            CONFIGURATION => self.function.read(offset, size),
            FIXED => self.fixed_read(offset, size),
            BAR0 if offset == bar::FLAGS => self.flags.into_bits().into(),
            BAR0 => u64::MAX,
            _ => 0,
        }
    }

    fn io_write(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, size: u8, value: u64) {
        match region {
            CONFIGURATION => self.function.write(cx, offset, size, value),
            FIXED => self.fixed_write(cx, offset, size, value),
            BAR0 => self.bar_write(cx, offset, value as u8),
            _ => {}
        }
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        state::declare(self, sections);
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        self.function.loaded(cx);
        Ok(())
    }
}

impl XenPlatform {
    fn fixed_read(&self, offset: u64, size: u8) -> u64 {
        match (offset, size) {
            (fixed::FLAGS, 1) => self.flags.into_bits().into(),
            (fixed::FLAGS, 2) => MAGIC,
            (fixed::LOG, 1) => VERSION.into(),
            _ => u64::MAX,
        }
    }

    /// The driver's build number, 32 bits at the first port, is of no use here.
    fn fixed_write(&mut self, cx: &mut Context<'_>, offset: u64, size: u8, value: u64) {
        match (offset, size) {
            (fixed::FLAGS, 1) => self.flags = Flags::kept(value as u8),
            (fixed::FLAGS, 2) => unplug::request(cx, Unplug::from_bits(value as u16)),
            (fixed::LOG, 1) => self.log.write(cx, LOG, value as u8),
            (fixed::LOG, 2) => self.product = value as u16,
            _ => {}
        }
    }

    fn bar_write(&mut self, cx: &mut Context<'_>, offset: u64, value: u8) {
        let disks = Unplug::new().with_disks(true);
        match (offset, value) {
            (bar::FLAGS, _) => self.flags = Flags::kept(value),
            (bar::UNPLUG_ALL, 1) => unplug::request(cx, disks.with_network_cards(true)),
            (bar::LOG, 1) => unplug::request(cx, disks),
            (bar::LOG, 2) => unplug::request(cx, Unplug::new().with_network_cards(true)),
            (bar::LOG, _) => self.log.write(cx, LOG, value),
            _ => {}
        }
    }
}

southbridge_sdk::export!(XenPlatform);
