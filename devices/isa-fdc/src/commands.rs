//! The commands (data sheet, "Command set").

use southbridge_sdk::Context;

use crate::ports::RESET_SENSES;
use crate::regs::{Config, Direction, St0};
use crate::{Fdc, RESULT};

/// What VERSION and PART ID answer (data sheet, "Version" and "Part ID").
const ENHANCED_CONTROLLER: u8 = 0x90;
const PART: u8 = 0x41;

/// READ ID takes a tenth of a revolution, as in QEMU.
const READ_ID_TIME: u64 = 20_000_000;

/// A command, told from its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Transfer(Direction),
    TransferDeleted,
    FormatTrack,
    ReadId,
    Recalibrate,
    Seek,
    SeekOut,
    SeekIn,
    SenseInterrupt,
    SenseDrive,
    Specify,
    Configure,
    Lock,
    DumpRegisters,
    Save,
    Restore,
    Version,
    PartId,
    Perpendicular,
    PowerDown,
    Option,
    DriveSpecification,
    /// One that QEMU knows and does not have.
    FormatAndWrite,
    Invalid,
}

impl Command {
    pub(crate) const fn of(byte: u8) -> Self {
        match byte {
            0x03 => Self::Specify,
            0x04 => Self::SenseDrive,
            0x07 => Self::Recalibrate,
            0x08 => Self::SenseInterrupt,
            0x0e => Self::DumpRegisters,
            0x0f => Self::Seek,
            0x10 => Self::Version,
            0x12 => Self::Perpendicular,
            0x13 => Self::Configure,
            0x14 | 0x94 => Self::Lock,
            0x17 => Self::PowerDown,
            0x18 => Self::PartId,
            0x2e => Self::Save,
            0x33 => Self::Option,
            0x4e => Self::Restore,
            0x8e => Self::DriveSpecification,
            0x8f => Self::SeekOut,
            0xcd => Self::FormatAndWrite,
            0xcf => Self::SeekIn,
            // Bits 6 and 7 are options of these: MFM and multi-track.
            0x02 | 0x42 => Self::Transfer(Direction::Read),
            0x0a | 0x4a => Self::ReadId,
            0x0d | 0x4d => Self::FormatTrack,
            0x09 | 0x49 | 0x89 | 0xc9 => Self::TransferDeleted,
            _ => match byte & 0x1f {
                0x05 => Self::Transfer(Direction::Write),
                0x06 => Self::Transfer(Direction::Read),
                0x0c => Self::TransferDeleted,
                0x11 => Self::Transfer(Direction::ScanEqual),
                0x16 => Self::Transfer(Direction::Verify),
                0x19 => Self::Transfer(Direction::ScanLow),
                0x1d => Self::Transfer(Direction::ScanHigh),
                _ => Self::Invalid,
            },
        }
    }

    /// How many bytes follow the first.
    pub(crate) const fn parameters(self) -> u32 {
        match self {
            Self::Transfer(_) | Self::TransferDeleted => 8,
            Self::FormatTrack | Self::DriveSpecification => 5,
            Self::Seek | Self::SeekOut | Self::SeekIn | Self::Specify | Self::PowerDown => 2,
            Self::ReadId | Self::Recalibrate | Self::SenseDrive => 1,
            Self::Perpendicular | Self::Option => 1,
            Self::Configure => 3,
            Self::Restore => 17,
            Self::FormatAndWrite => 10,
            Self::SenseInterrupt | Self::Lock | Self::DumpRegisters | Self::Save => 0,
            Self::Version | Self::PartId | Self::Invalid => 0,
        }
    }
}

impl Fdc {
    pub(crate) fn execute(&mut self, cx: &mut Context<'_>, command: Command) {
        match command {
            Command::Transfer(direction) => self.start_transfer(cx, direction),
            Command::TransferDeleted => self.stop(cx, St0::ABNORMAL_SEEK, 0, 0),
            Command::FormatTrack => self.format_track(cx),
            Command::ReadId => self.read_id(cx),
            Command::Recalibrate => self.recalibrate(cx),
            Command::Seek => self.seek_to(cx, |_, track| track),
            Command::SeekIn => self.seek_to(cx, |drive, by| {
                let last = drive.max_track.wrapping_sub(1);
                let track = u16::from(drive.track) + u16::from(by);
                if track >= drive.max_track.into() { last } else { track as u8 }
            }),
            Command::SeekOut => self.seek_to(cx, |drive, by| drive.track.saturating_sub(by)),
            Command::SenseInterrupt => self.sense_interrupt(cx),
            Command::SenseDrive => self.sense_drive(),
            Command::Specify => self.specify(),
            Command::Configure => self.configure_transfers(),
            Command::Lock => self.set_lock(),
            Command::DumpRegisters => self.dump_registers(),
            Command::Save => self.save_registers(),
            Command::Restore => self.restore_registers(),
            Command::Version => self.answer(&[ENHANCED_CONTROLLER]),
            Command::PartId => self.answer(&[PART]),
            Command::Perpendicular => self.perpendicular_mode(),
            Command::PowerDown => {
                self.pwrd = self.fifo[1];
                self.answer(&[self.pwrd]);
            }
            Command::Option => self.await_command(),
            Command::DriveSpecification => self.specify_drive(),
            Command::FormatAndWrite | Command::Invalid => self.answer(&[St0::INVALID.into()]),
        }
    }

    /// Puts a result into the FIFO.
    fn answer(&mut self, bytes: &[u8]) {
        for (place, byte) in self.fifo.iter_mut().zip(bytes) {
            *place = *byte;
        }
        self.show_result(bytes.len() as u32);
    }

    /// Formats nothing, but the number of sectors is believed from then on.
    fn format_track(&mut self, cx: &mut Context<'_>) {
        self.select(self.fifo[1]);
        self.multi_track = self.fifo[0] & 0x80 != 0;
        self.drive().last_sect = self.fifo[3];
        self.stop(cx, St0::NORMAL, 0, 0);
    }

    fn read_id(&mut self, cx: &mut Context<'_>) {
        self.drive().head = self.fifo[1] >> 2 & 1;
        let deadline = cx.now.saturating_add(READ_ID_TIME).min(i64::MAX as u64);
        self.result_timer = Some(deadline);
        cx.arm(RESULT, deadline);
    }

    fn recalibrate(&mut self, cx: &mut Context<'_>) {
        self.select(self.fifo[1]);
        self.drive().recalibrate();
        self.end_seek(cx);
    }

    fn seek_to(&mut self, cx: &mut Context<'_>, track: impl FnOnce(&crate::Drive, u8) -> u8) {
        self.select(self.fifo[1]);
        let parameter = self.fifo[2];
        let drive = self.drive();
        drive.step_to(track(drive, parameter));
        self.end_seek(cx);
    }

    fn end_seek(&mut self, cx: &mut Context<'_>) {
        self.await_command();
        self.status0.set_seek_end(true);
        self.raise_irq(cx);
    }

    fn sense_interrupt(&mut self, cx: &mut Context<'_>) {
        self.drive();
        if self.reset_sensei > 0 {
            let drive = RESET_SENSES.saturating_sub(self.reset_sensei);
            self.fifo[0] = u8::from(St0::POLLED).wrapping_add(drive);
            self.reset_sensei -= 1;
        } else if !self.sra.interrupt_pending() {
            return self.answer(&[St0::INVALID.into()]);
        } else {
            let status = self.status0.with_head(false).with_drive_1(false);
            self.fifo[0] = status.with_drive_0(self.second).into();
        }
        self.fifo[1] = self.drive().track;
        self.show_result(2);
        self.lower_irq(cx);
        self.status0 = St0::POLLED;
    }

    /// Status register 3 (data sheet, "Status register encoding").
    fn sense_drive(&mut self) {
        self.select(self.fifo[1]);
        let head = self.fifo[1] >> 2 & 1;
        let drive = self.drive();
        drive.head = head;
        let protected = u8::from(drive.is_read_only()) << 6;
        let track_0 = u8::from(drive.track == 0) << 4;
        self.answer(&[0x28 | protected | track_0 | head << 2 | u8::from(self.second)]);
    }

    fn specify(&mut self) {
        self.timer0 = self.fifo[1] >> 4;
        self.timer1 = self.fifo[2] >> 1;
        self.dor.set_dma(self.fifo[2] & 1 == 0);
        self.await_command();
    }

    fn configure_transfers(&mut self) {
        self.config = self.fifo[2].into();
        self.precomp_trk = self.fifo[3];
        self.await_command();
    }

    fn set_lock(&mut self) {
        self.lock = self.fifo[0] >> 7;
        self.answer(&[self.lock << 4]);
    }

    /// The lock and the mode of the current drive, as two commands have them.
    fn lock_and_mode(&mut self) -> u8 {
        self.lock << 7 | self.drive().perpendicular << 2
    }

    /// Where the drives are, the first one first as the guest sees it.
    fn tracks(&self) -> [u8; 2] {
        let [first, second] = self.drives.map(|drive| drive.track);
        if self.boots_from_second() { [second, first] } else { [first, second] }
    }

    fn dump_registers(&mut self) {
        let [first, second] = self.tracks();
        let (last, mode) = (self.drive().last_sect, self.lock_and_mode());
        let load_time = self.timer1 << 1 | u8::from(self.dor.dma());
        let config = self.config.into();
        let timer0 = self.timer0;
        self.answer(&[
            first,
            second,
            0,
            0,
            timer0,
            load_time,
            last,
            mode,
            config,
            self.precomp_trk,
        ]);
    }

    fn save_registers(&mut self) {
        let [first, second] = self.tracks();
        let (last, mode) = (self.drive().last_sect, self.lock_and_mode());
        let (timer0, timer1, config) = (self.timer0, self.timer1, self.config.into());
        let (precomp, pwrd) = (self.precomp_trk, self.pwrd);
        self.answer(&[
            0, 0, first, second, 0, 0, timer0, timer1, last, mode, config, precomp, pwrd, 0, 0,
        ]);
    }

    fn restore_registers(&mut self) {
        let [mut first, mut second] = [self.fifo[3], self.fifo[4]];
        if self.boots_from_second() {
            std::mem::swap(&mut first, &mut second);
        }
        (self.drives[0].track, self.drives[1].track) = (first, second);
        (self.timer0, self.timer1) = (self.fifo[7], self.fifo[8]);
        let (last, mode) = (self.fifo[9], self.fifo[10]);
        let drive = self.drive();
        drive.last_sect = last;
        drive.perpendicular = mode >> 2 & 0xf;
        self.lock = mode >> 7;
        self.config = Config::from(self.fifo[11]);
        (self.precomp_trk, self.pwrd) = (self.fifo[12], self.fifo[13]);
        self.await_command();
    }

    fn perpendicular_mode(&mut self) {
        let mode = self.fifo[1];
        if mode & 0x80 != 0 {
            self.drive().perpendicular = mode & 7;
        }
        self.await_command();
    }

    /// The last parameter ends the command. With another one QEMU waits for ever,
    /// or until a reset.
    fn specify_drive(&mut self) {
        self.drive();
        let last = self.fifo[self.data_pos.saturating_sub(1) as usize % self.fifo.len()];
        if last & 0xc0 == 0xc0 {
            self.answer(&[self.fifo[1], self.fifo[1], 0, 0]);
        } else if last & 0x80 != 0 {
            self.await_command();
        }
    }
}
