//! A channel: two drives that share a cable, of which the guest selects one.

use bitfield_struct::bitfield;
use southbridge_sdk::Context;

use crate::bus_master::BusMaster;
use crate::dma::Dma;
use crate::drive::{ALWAYS_ON, DIAGNOSTICS_PASSED, Drive, Status};
use crate::request::{After, Request};
use crate::retry::{Resumed, Retry};
use crate::setup::Setup;

/// Registers of the command block, as offsets (ATA-4, 7.1). A few have another
/// meaning when read.
pub(crate) const DATA: u64 = 0;
const FEATURES_OR_ERROR: u64 = 1;
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
const NOTHING_ATTACHED: u8 = 0;

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
    /// What moves, or waits to move, data by DMA.
    pub(crate) dma: Option<Dma>,
    /// The request that has not ended, and what follows when it has.
    pub(crate) request: Option<Request>,
    pub(crate) after: After,
    /// The mark of the last request.
    pub(crate) tag: u32,
    pub(crate) retry: Retry,
    /// What a state that is being loaded says of a command that goes on.
    pub(crate) resumed: Resumed,
    /// The channel's number, which is that of its interrupt's output line, too.
    pub(crate) number: u32,
}

impl Channel {
    /// A channel after a reset.
    pub(crate) fn new(number: u32, setups: [Setup; 2]) -> Self {
        Self { number, drives: setups.map(Drive::new), ..Self::default() }
    }

    /// A system reset. As in QEMU the interrupt stays as it is.
    pub(crate) fn reset(&mut self, cx: &mut Context<'_>) {
        (self.request, self.dma, self.after) = (None, None, After::Nothing);
        self.resumed = Resumed::default();
        for unit in [false, true] {
            self.reset_drive(cx, unit);
        }
        self.bus_master.reset();
        self.control = Control::new();
        self.unit = false;
    }

    pub(crate) const fn selected(&self) -> &Drive {
        &self.drives[self.unit as usize]
    }

    pub(crate) const fn drive(&mut self) -> &mut Drive {
        &mut self.drives[self.unit as usize]
    }

    /// The number of a drive in the contract.
    pub(crate) fn drive_number(&self, unit: bool) -> u32 {
        2 * self.number + u32::from(unit)
    }

    /// Whether the selected drive answers. QEMU has drive 0 answer for a drive 1
    /// that is alone.
    fn answers(&self) -> bool {
        self.any() && (!self.unit || self.selected().is_present())
    }

    fn any(&self) -> bool {
        self.drives.iter().any(Drive::is_present)
    }

    /// Reads a register of the command block.
    pub(crate) fn read(&mut self, cx: &mut Context<'_>, register: u64) -> u8 {
        if register == DATA {
            // One byte takes two from the drive, as in QEMU.
            return self.data_in(cx, 2) as u8;
        }
        if register == COMMAND_OR_STATUS {
            self.set_interrupt(cx, false);
            return self.alternate_status();
        }
        if !self.any() || register == FEATURES_OR_ERROR && !self.answers() {
            return NOTHING_ATTACHED;
        }
        let previous = self.control.high_order();
        let drive = self.selected();
        match register {
            FEATURES_OR_ERROR if previous => drive.feature.previous,
            FEATURES_OR_ERROR => drive.error,
            SECTOR_COUNT if previous => drive.previous_sectors,
            SECTOR_COUNT => drive.sectors as u8,
            SECTOR_NUMBER => drive.sector.get(previous),
            CYLINDER_LOW => drive.cylinder_low.get(previous),
            CYLINDER_HIGH => drive.cylinder_high.get(previous),
            _ => drive.select,
        }
    }

    /// Reads the status without acknowledging the interrupt.
    pub(crate) fn alternate_status(&self) -> u8 {
        if self.answers() { self.selected().status.into_bits() } else { NOTHING_ATTACHED }
    }

    /// Writes a register of the command block. Both drives see it, but for the data
    /// register, which takes no single bytes.
    pub(crate) fn write(&mut self, cx: &mut Context<'_>, register: u64, byte: u8) {
        if register == COMMAND_OR_STATUS {
            self.control.set_high_order(false);
            self.set_interrupt(cx, false);
            return self.command(cx, byte);
        }
        if register == DATA || self.selected().status.working() {
            return;
        }
        self.control.set_high_order(false);
        for drive in &mut self.drives {
            match register {
                FEATURES_OR_ERROR => drive.feature.write(byte),
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
    /// moment later; no access comes in between, unless a request is to end first.
    pub(crate) fn control(&mut self, cx: &mut Context<'_>, byte: u8) {
        let was_reset = self.control.reset();
        self.control = Control::from_bits(byte);
        if self.control.reset() && !was_reset {
            if self.request.is_some() {
                for drive in self.drives.iter_mut().filter(|drive| drive.is_present()) {
                    drive.status.set_busy(true);
                }
                self.after = After::SoftwareReset;
            } else {
                self.software_reset(cx);
            }
        }
    }

    /// ATA-4, 9.2: both drives are reset and tell of their diagnostics.
    pub(crate) fn software_reset(&mut self, cx: &mut Context<'_>) {
        self.dma = None;
        for unit in [false, true] {
            self.reset_drive(cx, unit);
            self.diagnose(cx, unit);
        }
        self.control.set_reset(false);
    }

    /// The registers of a drive after its diagnostics (ATA-4, 9.10).
    pub(crate) fn diagnose(&mut self, cx: &mut Context<'_>, unit: bool) {
        let drive = &mut self.drives[usize::from(unit)];
        drive.sign();
        drive.error = DIAGNOSTICS_PASSED;
        if drive.is_cd() {
            drive.status = Status::new();
        } else {
            drive.status = Status::DONE;
            self.request_interrupt(cx);
        }
    }

    /// Resets a drive; its tray closes, and the operator may take the medium out.
    pub(crate) fn reset_drive(&mut self, cx: &mut Context<'_>, unit: bool) {
        let number = self.drive_number(unit);
        let drive = &mut self.drives[usize::from(unit)];
        if drive.is_cd() && drive.packet.tray_open {
            cx.drive_tray(number, false);
        }
        if drive.is_cd() && drive.packet.tray_locked {
            cx.drive_lock(number, false);
        }
        drive.reset();
    }

    /// Drives the interrupt line.
    pub(crate) fn drive_line(&self, cx: &mut Context<'_>) {
        cx.set_line(self.number, self.interrupt);
    }

    pub(crate) fn request_interrupt(&mut self, cx: &mut Context<'_>) {
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
