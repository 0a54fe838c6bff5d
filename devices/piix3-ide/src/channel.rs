//! A channel: two drives that share a cable, of which the guest selects one.

use bitfield_struct::bitfield;
use southbridge_sdk::Context;

use crate::bus_master::BusMaster;
use crate::command;
use crate::drive::{ALWAYS_ON, DIAGNOSTICS_PASSED, Drive};

/// Registers of the command block, as offsets (ATA-4, 7.1). A few have another
/// meaning when read.
pub(crate) const DATA: u64 = 0;
const FEATURES: u64 = 1;
const SECTOR_COUNT: u64 = 2;
const SECTOR_NUMBER: u64 = 3;
const CYLINDER_LOW: u64 = 4;
const CYLINDER_HIGH: u64 = 5;
const DEVICE_HEAD: u64 = 6;
const COMMAND_OR_STATUS: u64 = 7;

/// The device control register.
#[bitfield(u8)]
pub(crate) struct Control {
    __: bool,
    /// nIEN: no interrupts.
    pub(crate) no_interrupts: bool,
    /// SRST: software reset.
    pub(crate) reset: bool,
    #[bits(4)]
    __: u8,
    /// HOB: reads show the bytes written before (ATA-6).
    pub(crate) high_order: bool,
}

/// What all registers, the alternate status too, read as where nothing is
/// attached to the cable.
pub(crate) const NOTHING_ATTACHED: u8 = 0;

/// Device/head: drive 1 rather than drive 0.
const SELECT_1: u8 = 0x10;

/// A channel.
#[derive(Debug, Default)]
pub(crate) struct Channel {
    pub(crate) bus_master: BusMaster,
    pub(crate) control: Control,
    /// The drive that is selected.
    pub(crate) unit: bool,
    pub(crate) drives: [Drive; 2],
    /// The level of the interrupt.
    pub(crate) interrupt: bool,
    line: u32,
}

impl Channel {
    /// A channel after a reset, with its interrupt on an output line.
    pub(crate) fn new(line: u32) -> Self {
        Self { line, ..Self::default() }
    }

    /// A system reset. As in QEMU the interrupt stays as it is.
    pub(crate) fn reset(&mut self) {
        self.drives.iter_mut().for_each(Drive::reset);
        self.bus_master = BusMaster::default();
        self.control = Control::new();
        self.unit = false;
    }

    /// Reads a register of the command block.
    pub(crate) fn read(&mut self, cx: &mut Context<'_>, register: u64) -> u8 {
        if register == COMMAND_OR_STATUS {
            self.set_interrupt(cx, false);
        }
        NOTHING_ATTACHED
    }

    /// Writes a register of the command block. Both drives see it.
    pub(crate) fn write(&mut self, cx: &mut Context<'_>, register: u64, byte: u8) {
        if register == DATA {
            return;
        }
        self.control.set_high_order(false);
        if register == COMMAND_OR_STATUS {
            return self.command(cx, byte);
        }
        for drive in &mut self.drives {
            match register {
                FEATURES => drive.feature.write(byte),
                SECTOR_COUNT => drive.write_sectors(byte),
                SECTOR_NUMBER => drive.sector.write(byte),
                CYLINDER_LOW => drive.cylinder_low.write(byte),
                CYLINDER_HIGH => drive.cylinder_high.write(byte),
                _ => drive.select = byte | ALWAYS_ON,
            }
        }
        if register == DEVICE_HEAD {
            self.unit = byte & SELECT_1 != 0;
        }
    }

    /// Writes the device control register. QEMU performs a software reset a
    /// moment later; no access comes in between.
    pub(crate) fn control(&mut self, cx: &mut Context<'_>, byte: u8) {
        let was_reset = self.control.reset();
        self.control = Control::from_bits(byte);
        if self.control.reset() && !was_reset {
            for drive in &mut self.drives {
                drive.reset();
                drive.error = DIAGNOSTICS_PASSED;
            }
            self.control.set_reset(false);
            self.request_interrupt(cx);
        }
    }

    /// Drives the interrupt line.
    pub(crate) fn drive_line(&self, cx: &mut Context<'_>) {
        cx.set_line(self.line, self.interrupt);
    }

    /// A command to the selected drive. Drive 1 does not answer where there is
    /// none; for drive 0 QEMU does.
    fn command(&mut self, cx: &mut Context<'_>, byte: u8) {
        self.set_interrupt(cx, false);
        if !self.unit {
            command::perform(&mut self.drives[0], byte);
            self.request_interrupt(cx);
        }
    }

    fn request_interrupt(&mut self, cx: &mut Context<'_>) {
        if !self.control.no_interrupts() {
            self.bus_master.status.set_interrupt(true);
            self.set_interrupt(cx, true);
        }
    }

    fn set_interrupt(&mut self, cx: &mut Context<'_>, level: bool) {
        self.interrupt = level;
        self.drive_line(cx);
    }
}
