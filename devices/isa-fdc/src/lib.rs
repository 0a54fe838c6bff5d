//! The floppy disk controller of the PC: QEMU's `isa-fdc`, with two drives.
//!
//! Data sheet: Intel 82078, "CHMOS single-chip floppy disk controller", order
//! number 290475. As in QEMU:
//!
//! - seeks and transfers take no time, but for READ ID, which takes 20 ms;
//! - every sector has 512 bytes, whatever a command says of its size;
//! - FORMAT TRACK formats nothing, and marks of deleted data are not known;
//! - status register A is kept and cannot be read: the controller answers at the
//!   base address plus 1 to 5, and plus 7.
//!
//! QEMU reads and writes its media while the guest waits. Here it takes until the
//! host has carried out a request: meanwhile the guest finds that the FIFO cannot be
//! accessed, or the controller does not ask for DMA. What is read ahead of its use
//! is kept apart from the FIFO, so that the saved state is QEMU's.

mod commands;
mod dma;
mod drive;
mod fifo;
mod media;
mod parameters;
mod ports;
mod regs;
mod requests;
mod state;
#[cfg(test)]
mod tests;
mod transfer;

use southbridge_sdk::describe::{device, number, output, ports as port_region, text};
use southbridge_sdk::state::Sections;
use southbridge_sdk::wit::{AccessSizes, Attachment, Description, Failure, Medium};
use southbridge_sdk::{Context, Device, IsaDmaTarget, Properties, StorageEvents};

use drive::{Drive, SECTOR};
use regs::{BOOT_SELECT, Config, Direction, Dor, Dsr, Msr, Phase, Sra, Srb, St0};
use requests::Requests;

/// The regions: offsets 1 to 5, and 7.
const LOW: u32 = 0;
const HIGH: u32 = 1;
const LOW_OFFSET: u64 = 1;
const HIGH_OFFSET: u64 = 7;

/// The output lines.
const IRQ: u32 = 0;
const DREQ: u32 = 1;

/// The timer.
const RESULT: u32 = 0;

/// The controller.
#[derive(Debug)]
pub struct Fdc {
    sra: Sra,
    srb: Srb,
    dor: Dor,
    tdr: u8,
    dsr: Dsr,
    msr: Msr,
    status0: St0,
    /// Two that QEMU keeps and never changes.
    status1: u8,
    status2: u8,
    /// The command, its result, or a sector.
    fifo: [u8; SECTOR],
    /// Bytes of the phase that are done, and all there are. Only in the execution
    /// phase may they be beyond the FIFO.
    data_pos: u32,
    data_len: u32,
    multi_track: bool,
    direction: Direction,
    /// End of track: the last sector to transfer.
    eot: u8,
    timer0: u8,
    timer1: u8,
    precomp_trk: u8,
    config: Config,
    lock: u8,
    pwrd: u8,
    drives: [Drive; 2],
    /// Whether the second drive is the current one.
    second: bool,
    /// How many of the four SENSE INTERRUPT after a reset are left.
    reset_sensei: u8,
    result_timer: Option<u64>,
    phase: Phase,
    requests: Requests,
    /// The level of DREQ.
    asks: bool,
}

impl Device for Fdc {
    fn describe() -> Description {
        let summary = "82078 floppy disk controller (isa-fdc)";
        let sizes = AccessSizes { min: 1, max: 4, unaligned: true };
        Description {
            properties: vec![
                number("iobase", 0x3f0, "First of the 8 I/O ports"),
                text("drive-type-a", "none", "First drive: auto, 144, 288, 120, none"),
                text("drive-type-b", "none", "Second drive: auto, 144, 288, 120, none"),
                text("fdtypeA", "auto", "As in QEMU without effect on the first drive"),
                text("fdtypeB", "auto", "As in QEMU without effect on the second drive"),
                text("fallback", "288", "What auto is without a known medium: 144, 288, 120"),
            ],
            regions: vec![
                port_region("registers", 5, sizes, sizes),
                port_region("dir-ccr", 1, sizes, sizes),
            ],
            lines: vec![output("irq"), output("dreq")],
            timers: vec!["result".into()],
            drives: vec!["a".into(), "b".into()],
            ..device("isa-fdc", env!("CARGO_PKG_VERSION"), summary, Attachment::IsaDma)
        }
    }

    fn configure(properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        let base: u16 = properties.number("iobase")?;
        let last = u16::MAX - HIGH_OFFSET as u16;
        if base > last {
            return Err(format!("property iobase: {base:#x}, expected at most {last:#x}"));
        }
        let fallback = parameters::fallback(properties)?;
        let drive = |name| parameters::wanted(properties, name).map(|w| Drive::new(w, fallback));
        let drives = [drive("drive-type-a")?, drive("drive-type-b")?];
        for name in ["fdtypeA", "fdtypeB"] {
            parameters::wanted(properties, name)?;
        }
        cx.map(LOW, u64::from(base) + LOW_OFFSET, 0);
        cx.map(HIGH, u64::from(base) + HIGH_OFFSET, 0);
        Ok(Self {
            sra: Sra::new(),
            srb: Srb::RESET,
            dor: Dor::new().with_not_reset(true).with_dma(true),
            tdr: 0,
            dsr: Dsr::new(),
            msr: Msr::new().with_request(true),
            status0: St0::NORMAL,
            status1: 0,
            status2: 0,
            fifo: [0; SECTOR],
            data_pos: 0,
            data_len: 1,
            multi_track: false,
            direction: Direction::Write,
            eot: 0,
            timer0: 0,
            timer1: 0,
            precomp_trk: 0,
            config: Config::POWER_ON,
            lock: 0,
            pwrd: 0,
            drives,
            second: false,
            reset_sensei: 0,
            result_timer: None,
            phase: Phase::Command,
            requests: Requests::default(),
            asks: false,
        })
    }

    fn reset(&mut self, cx: &mut Context<'_>) {
        self.drives.iter_mut().for_each(Drive::settle_kind);
        self.reset_controller(cx, false);
        cx.set_line(IRQ, false);
        self.drive_request(cx);
    }

    fn io_read(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, size: u8) -> u64 {
        let value = self.read_ports(cx, region, offset, size);
        self.proceed(cx);
        value
    }

    fn io_write(&mut self, cx: &mut Context<'_>, region: u32, offset: u64, size: u8, value: u64) {
        self.write_ports(cx, region, offset, size, value);
        self.proceed(cx);
    }

    fn timer_expired(&mut self, cx: &mut Context<'_>, _timer: u32) {
        self.result_timer = None;
        self.finish_read_id(cx);
        self.proceed(cx);
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        self.walk(sections);
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        self.check()?;
        cx.set_line(IRQ, self.sra.interrupt_pending());
        match self.result_timer {
            Some(deadline) => cx.arm(RESULT, deadline),
            None => cx.disarm(RESULT),
        }
        self.fetch(cx);
        self.drive_request(cx);
        Ok(())
    }
}

impl IsaDmaTarget for Fdc {
    fn take(&mut self, cx: &mut Context<'_>, length: u32) -> Vec<u8> {
        let taken = self.take_bytes(cx, length);
        self.proceed(cx);
        taken
    }

    fn give(&mut self, cx: &mut Context<'_>, data: &[u8]) -> u32 {
        let taken = self.give_bytes(cx, data);
        self.proceed(cx);
        taken as u32
    }

    fn terminal_count(&mut self, cx: &mut Context<'_>) {
        self.end_of_count(cx);
        self.proceed(cx);
    }
}

impl StorageEvents for Fdc {
    fn medium_changed(&mut self, cx: &mut Context<'_>, drive: u32, medium: Option<Medium>) {
        if let Some(place) = self.drives.get_mut(drive as usize) {
            place.change(medium);
            self.requests.forget(drive as usize);
            self.proceed(cx);
        }
    }

    fn completed(
        &mut self,
        cx: &mut Context<'_>,
        _drive: u32,
        tag: u32,
        outcome: Result<Vec<u8>, Failure>,
    ) {
        self.request_ended(cx, tag, outcome);
        self.proceed(cx);
    }
}

impl Fdc {
    /// What follows from any call: the next sector is asked for, and DREQ driven.
    fn proceed(&mut self, cx: &mut Context<'_>) {
        self.fetch(cx);
        if self.asks != self.asks_for_dma() {
            self.drive_request(cx);
        }
    }

    fn drive_request(&mut self, cx: &mut Context<'_>) {
        self.asks = self.asks_for_dma();
        cx.set_line(DREQ, self.asks);
    }

    /// The place of the current drive: the tape drive register can exchange the two.
    fn current(&self) -> usize {
        usize::from(self.second ^ self.boots_from_second())
    }

    fn boots_from_second(&self) -> bool {
        self.tdr & BOOT_SELECT != 0
    }

    /// The current drive. Where there is none, QEMU puts an empty one as soon as it
    /// is used.
    fn drive(&mut self) -> &mut Drive {
        let number = self.current();
        let drive = &mut self.drives[number];
        drive.connected = true;
        drive
    }

    fn select(&mut self, byte: u8) {
        self.second = byte & 1 != 0;
    }
}

southbridge_sdk::export!(Fdc, isa_dma_target, storage_events);
